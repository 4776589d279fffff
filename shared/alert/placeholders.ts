/** What a message file may leave to the moment of sending, and what it becomes. */
export interface PlaceholderFacts {
  readonly nowMs: number;
  /** Of the clock on the wall, east of UTC: 120 in France in summer. */
  readonly offsetMinutes: number;
  /** A few characters that no other message of this second has: letters, digits. */
  readonly random: string;
}

/** An instant as CAP writes it: the local time with its offset, no milliseconds, no `Z` (CAP 1.2 section 3.3.2). */
export function formatCapDateTime(ms: number, offsetMinutes: number): string {
  const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, 19);
  const sign = offsetMinutes < 0 ? '-' : '+';
  const two = (n: number) => String(n).padStart(2, '0');
  const size = Math.abs(offsetMinutes);
  return `${local}${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const INSTANT = /^now(?:\+(\d{1,4})([mhd]))?$/;
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const INSTANT_FIELDS = ['sent', 'effective', 'onset', 'expires'];

/**
 * A message file as it will be sent: `"now"` and `"now+2h"` (m, h, d) in the fields that hold instants, and `"auto"` as
 * identifier. Everything else stays as it was written, wrong or not: checking is somebody else's work. CAP has no
 * defaults, and neither has this: a field that is absent stays absent.
 */
export function fillPlaceholders(message: unknown, facts: PlaceholderFacts): unknown {
  if (!isObject(message)) return message;
  const filled = fillInstants(message, facts);
  if (filled['identifier'] === 'auto') filled['identifier'] = identifierOf(filled, facts);
  if (Array.isArray(filled['info']))
    filled['info'] = filled['info'].map((info: unknown) =>
      isObject(info) ? fillInstants(info, facts) : info,
    );
  return filled;
}

function fillInstants(
  fields: Record<string, unknown>,
  facts: PlaceholderFacts,
): Record<string, unknown> {
  const filled = { ...fields };
  for (const field of INSTANT_FIELDS) {
    const value = filled[field];
    const match = typeof value === 'string' ? INSTANT.exec(value) : null;
    if (!match) continue;
    const unit = match[2] as keyof typeof UNIT_MS | undefined;
    const laterMs = unit === undefined ? 0 : Number(match[1]) * UNIT_MS[unit];
    filled[field] = formatCapDateTime(facts.nowMs + laterMs, facts.offsetMinutes);
  }
  return filled;
}

function identifierOf(message: Record<string, unknown>, facts: PlaceholderFacts): string {
  const sender = typeof message['sender'] === 'string' ? message['sender'] : '';
  const who = /^[A-Za-z0-9._-]{1,40}/.exec(sender)?.[0] ?? 'message';
  const stamp = new Date(facts.nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${who}-${stamp}Z-${facts.random}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
