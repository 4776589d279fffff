/**
 * One span of a trace as W3C Trace Context writes it in `traceparent` (https://www.w3.org/TR/trace-context/, section 3.2):
 * which trace it belongs to (16 bytes), which span it is (8 bytes), whether whoever began it records it.
 */
export interface TraceContext {
  /** 32 hex digits, never all zeros. */
  readonly traceId: string;
  /** 16 hex digits, never all zeros. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Version 00 and nothing else: 55 characters, lower case. */
const VERSION_00 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const ZEROS = /^0+$/;
const SAMPLED = 1;

/**
 * A `traceparent`, or undefined for everything else: nothing, two of them in one header, a later version, upper case, an
 * id of zeros. Whoever gets undefined makes a trace of its own; an alert is never refused for it.
 */
export function parseTraceparent(header: unknown): TraceContext | undefined {
  const [, traceId, spanId, flags] =
    (typeof header === 'string' ? VERSION_00.exec(header) : undefined) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** 16 hex digits. It names a piece of work, never a device. */
export function randomSpanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  // All zeros would be no id at all.
  if (bytes.every((byte) => byte === 0)) bytes[7] = 1;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What a piece of work comes from: the trace it belongs to and the span that caused it. */
export interface TraceOrigin {
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly sampled: boolean;
}

/**
 * The trace of an alert at the service that takes it: its author's, or else one whose id is the alert's own (128 bits as
 * hex, as a trace id is), so that two ingests that are given the same message without a trace make the same one.
 */
export function originOfRequest(alertId: string, parent: TraceContext | undefined): TraceOrigin {
  if (parent === undefined) return { traceId: alertId, sampled: true };
  return { traceId: parent.traceId, parentSpanId: parent.spanId, sampled: parent.sampled };
}

/**
 * The trace of an alert at a service that got it on a lane. What ingest signed says which trace it is; the hop's header
 * says which send brought it, and is believed only where it names the same trace. An alert of an older ingest has none.
 */
export function originOfEnvelope(
  envelope: { readonly id: string; readonly trace?: string | undefined },
  hopHeader: unknown,
): TraceOrigin {
  const signed = parseTraceparent(envelope.trace);
  const hop = parseTraceparent(hopHeader);
  const traceId = signed?.traceId ?? envelope.id;
  const parentSpanId = hop?.traceId === traceId ? hop.spanId : signed?.spanId;
  return {
    traceId,
    sampled: signed?.sampled ?? true,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
  };
}

/**
 * The header of a device's receipt: the alert's trace, and a span that is new each time, so that it tells nothing of the
 * device. A header, because an edge that does not know it passes over it, as it would not over a new field.
 */
export function receiptTrace(traceId: string | undefined): { traceparent?: string } {
  if (traceId === undefined) return {};
  return { traceparent: formatTraceparent({ traceId, spanId: randomSpanId(), sampled: true }) };
}

/** A trace id in 22 characters (base64url of its 16 bytes): what a device message has room for. */
export function shortTraceId(traceId: string): string {
  const bytes = traceId.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

const SHORT = /^[A-Za-z0-9_-]{22}$/;

/** The other way; undefined for what is no short trace id. */
export function fromShortTraceId(short: unknown): string | undefined {
  if (typeof short !== 'string' || !SHORT.test(short)) return undefined;
  const bytes = atob(short.replaceAll('-', '+').replaceAll('_', '/'));
  const hex = Array.from(bytes, (char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join(
    '',
  );
  return ZEROS.test(hex) ? undefined : hex;
}

/**
 * The trace that a signed envelope names in its header, without a look at the signature: for a service's own journal, and
 * for what nothing but a log line hangs on.
 */
export function traceOfJws(jws: string): TraceContext | undefined {
  const header = partOfJws(jws, 0);
  return parseTraceparent(header?.['trace']);
}

/** When a signed envelope says that it was signed, without a look at the signature. */
export function issuedAtOfJws(jws: string): string | undefined {
  const issuedAt = partOfJws(jws, 1)?.['issuedAt'];
  return typeof issuedAt === 'string' && !Number.isNaN(Date.parse(issuedAt)) ? issuedAt : undefined;
}

function partOfJws(jws: string, index: 0 | 1): Record<string, unknown> | undefined {
  try {
    const text = jws.split('.')[index]?.replaceAll('-', '+').replaceAll('_', '/') ?? '';
    const value: unknown = JSON.parse(atob(text));
    return value !== null && typeof value === 'object' ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
