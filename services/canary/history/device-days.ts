import { TRANSPORTS, type TransportKind } from '../../../shared/envelope/envelope.ts';
import type { JudgedPath } from '../judge.ts';

export const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Days that are kept: thirty that are shown and the one that has just begun. */
export const DAYS_KEPT = 31;

/** Minutes of one day (UTC) in which a transport was proved, or was not. Minutes that nobody measured are in neither. */
export interface DeviceDay {
  /** `2026-07-14` */
  readonly day: string;
  readonly transport: TransportKind;
  readonly proved: number;
  readonly unproved: number;
  /** The last minute (since 1970) that was counted, so that none is counted twice. */
  readonly lastMinute: number;
}

export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/**
 * Was this transport proved in this minute? Undefined: no path of it was measured yet. A path that is late is not proved.
 */
export function minuteOf(
  paths: readonly JudgedPath[],
  transport: TransportKind,
): boolean | undefined {
  const own = paths.filter(({ path }) => path.transport === transport);
  if (own.every(({ state }) => state === 'not-measured')) return undefined;
  return own.some(({ state }) => state === 'proved');
}

/**
 * Counts the minute of `nowMs` once for each transport. Returns the days that have changed. A minute before one that was
 * counted (a clock that was set back) is left out: it has been judged.
 */
export function countMinute(
  days: readonly DeviceDay[],
  paths: readonly JudgedPath[],
  nowMs: number,
): DeviceDay[] {
  const minute = Math.floor(nowMs / MINUTE_MS);
  const day = dayOf(nowMs);
  return TRANSPORTS.flatMap((transport) => {
    const own = days.filter((each) => each.transport === transport);
    const isProved = minuteOf(paths, transport);
    if (isProved === undefined || own.some(({ lastMinute }) => lastMinute >= minute)) return [];
    const before = own.find((each) => each.day === day) ?? { proved: 0, unproved: 0 };
    return [
      {
        day,
        transport,
        proved: before.proved + (isProved ? 1 : 0),
        unproved: before.unproved + (isProved ? 0 : 1),
        lastMinute: minute,
      },
    ];
  });
}

/** One day of one transport as it is shown: the three add up to the minutes of the day so far. */
export interface ShownDay {
  readonly day: string;
  readonly provedMinutes: number;
  readonly unprovedMinutes: number;
  readonly notMeasuredMinutes: number;
}

/** The last days of a transport, oldest first, today being the last: days that nobody measured are there too. Pure. */
export function shownDays(
  days: readonly DeviceDay[],
  transport: TransportKind,
  nowMs: number,
  count = DAYS_KEPT - 1,
): ShownDay[] {
  const todayMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  return Array.from({ length: count }, (_, i) => {
    const startMs = todayMs - (count - 1 - i) * DAY_MS;
    const day = dayOf(startMs);
    const known = days.find((each) => each.day === day && each.transport === transport);
    const { proved, unproved } = known ?? { proved: 0, unproved: 0 };
    const passed = Math.floor(Math.min(DAY_MS, nowMs - startMs) / MINUTE_MS);
    return {
      day,
      provedMinutes: proved,
      unprovedMinutes: unproved,
      notMeasuredMinutes: Math.max(0, passed - proved - unproved),
    };
  });
}
