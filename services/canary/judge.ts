import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import { pathName } from './paths.ts';

/** Where a round that was not received ended, as far as the canary can see. */
export type MissStage = 'ingest-refused' | 'ingest-unreachable' | 'not-received';

/** How one round ended. Only `proved` is a proof; an ingest's 202 is nothing at all. */
export type RoundResult =
  | { readonly kind: 'proved'; readonly latencyMs: number }
  /** Received and verified, but after the limit: recorded, no proof. */
  | { readonly kind: 'late'; readonly latencyMs: number }
  /** `alertId`: of the test that was missed, for its timeline. */
  | { readonly kind: 'missed'; readonly stage: MissStage; readonly alertId?: string };

/** What is remembered of one path. Instants are the canary's own age clock. */
export interface PathRecord {
  readonly path: CanaryPath;
  /** When the path came under watch: silence is counted from here until the first proof. */
  readonly watchedSinceMs: number;
  readonly lastProofAtMs: number | undefined;
  readonly latencyMs: number | undefined;
  /** Rounds that ended without proof since the last one. */
  readonly misses: number;
  readonly lastResult: RoundResult | undefined;
}

/**
 * `proved`: a proof younger than one and a half periods. `late`: up to two and a half. `unproved`: older.
 * `not-measured`: never proved. Everything but `proved` counts as bad.
 */
export type PathState = 'proved' | 'late' | 'unproved' | 'not-measured';

export interface JudgedPath {
  readonly path: CanaryPath;
  readonly state: PathState;
  /** Since the last proof; null when there was none. */
  readonly ageMs: number | null;
  /** Since the last proof or, without one, since the watch began. */
  readonly silenceMs: number;
  readonly latencyMs: number | null;
  readonly consecutiveMisses: number;
  readonly lastResult: RoundResult | null;
}

export interface Summary {
  readonly provedPaths: number;
  readonly totalPaths: number;
  readonly newestProofAgeMs: number | null;
  /** True when some path is proved: an alert that was raised now would arrive. */
  readonly anyProved: boolean;
  /** How long there was no proof at all: the age of the newest, or the time under watch. */
  readonly silenceMs: number;
}

export interface Timetable {
  readonly periodMs: number;
  readonly limitMs: number;
}

/** Rounds are jittered by up to this share of the period, so a round is not missing before that. */
const JITTER_SHARE = 0.1;

/** Up to this age a path is proved: one missed round is seen before it ends. 90 s at the usual period of 60 s. */
export function provedForMs({ periodMs }: Timetable): number {
  return periodMs * 1.5;
}

/** Up to this age it is late. 150 s at the usual period: as long as dispatchers trust a proof. */
export function lateForMs({ periodMs }: Timetable): number {
  return periodMs * 2.5;
}

export function newPathRecord(path: CanaryPath, nowMs: number): PathRecord {
  return {
    path,
    watchedSinceMs: nowMs,
    lastProofAtMs: undefined,
    latencyMs: undefined,
    misses: 0,
    lastResult: undefined,
  };
}

/**
 * A round has ended. A late receipt takes the place of the miss that its round was counted as before, so it adds none.
 */
export function recordRound(record: PathRecord, result: RoundResult, nowMs: number): PathRecord {
  switch (result.kind) {
    case 'proved':
      return {
        ...record,
        lastProofAtMs: nowMs,
        latencyMs: result.latencyMs,
        misses: 0,
        lastResult: result,
      };
    case 'late':
      return { ...record, lastResult: result };
    case 'missed':
      return { ...record, misses: record.misses + 1, lastResult: result };
  }
}

/**
 * The verdict on one path, from the age of its last proof and nothing else: silence alone turns proved into unproved
 * (P5), and only a new proof turns it back. Rounds that never came, because the scheduler is dead, count as missed by
 * the receiver's own clock.
 */
export function judgePath(record: PathRecord, nowMs: number, timetable: Timetable): JudgedPath {
  const { lastProofAtMs } = record;
  const silenceMs = Math.max(0, nowMs - (lastProofAtMs ?? record.watchedSinceMs));
  return {
    path: record.path,
    state: stateAt(lastProofAtMs === undefined ? undefined : silenceMs, timetable),
    ageMs: lastProofAtMs === undefined ? null : silenceMs,
    silenceMs,
    latencyMs: record.latencyMs ?? null,
    consecutiveMisses: Math.max(record.misses, roundsDue(silenceMs, timetable)),
    lastResult: record.lastResult ?? null,
  };
}

/** The state by the age (ms) of the last proof; undefined: never proved. */
export function stateAt(ageMs: number | undefined, timetable: Timetable): PathState {
  if (ageMs === undefined) return 'not-measured';
  if (ageMs <= provedForMs(timetable)) return 'proved';
  return ageMs <= lateForMs(timetable) ? 'late' : 'unproved';
}

/** How many rounds should have been received in this much silence. */
function roundsDue(silenceMs: number, { periodMs, limitMs }: Timetable): number {
  return Math.max(0, Math.floor((silenceMs - limitMs - periodMs * JITTER_SHARE) / periodMs));
}

/** The whole: would an alert arrive? No paths at all is no proof. */
export function summarize(paths: readonly JudgedPath[]): Summary {
  const ages = paths.flatMap(({ ageMs }) => (ageMs === null ? [] : [ageMs]));
  const silences = paths.map(({ silenceMs }) => silenceMs);
  const provedPaths = paths.filter(({ state }) => state === 'proved').length;
  return {
    provedPaths,
    totalPaths: paths.length,
    newestProofAgeMs: ages.length === 0 ? null : Math.min(...ages),
    anyProved: provedPaths > 0,
    silenceMs:
      silences.length === 0 ? 0 : ages.length === 0 ? Math.max(...silences) : Math.min(...ages),
  };
}

interface Judge {
  readonly record: (path: CanaryPath, result: RoundResult) => void;
  readonly judged: () => JudgedPath[];
  readonly everProved: (path: CanaryPath) => boolean;
}

/** Holds the records of all paths; the decisions are the pure functions above. */
export function createJudge(
  paths: readonly CanaryPath[],
  timetable: Timetable,
  now: () => number,
): Judge {
  const records = new Map(paths.map((path) => [pathName(path), newPathRecord(path, now())]));
  return {
    record: (path, result) => {
      const before = records.get(pathName(path));
      if (before) records.set(pathName(path), recordRound(before, result, now()));
    },
    judged: () => [...records.values()].map((record) => judgePath(record, now(), timetable)),
    everProved: (path) => records.get(pathName(path))?.lastProofAtMs !== undefined,
  };
}
