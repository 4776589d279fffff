import type { RoundResult, Timetable } from '../judge.ts';

/** Rounds are counted in pieces of five minutes, for 24 hours. */
export const BUCKET_MS = 5 * 60_000;
export const BUCKET_COUNT = 288;

/** The rounds of one path that ended within five minutes. */
export interface Bucket {
  /** Wall clock, ms since 1970, a multiple of {@link BUCKET_MS}. */
  readonly startMs: number;
  readonly proved: number;
  /** Received after the limit: no proof. */
  readonly late: number;
  readonly lost: number;
  /** The longest time (ms) of any message that was received, late ones too; null when none was. */
  readonly worstMs: number | null;
}

/**
 * What five minutes of a path were. `partly`: some rounds were lost, late or never tried. `not-measured`: no round ended,
 * because nobody was there to try. From best to worst; nothing but `proved` counts as good.
 */
export const BUCKET_STATES = ['proved', 'partly', 'not-measured', 'unproved'] as const;
export type BucketState = (typeof BUCKET_STATES)[number];

export function bucketStart(atMs: number): number {
  return Math.floor(atMs / BUCKET_MS) * BUCKET_MS;
}

export function emptyBucket(startMs: number): Bucket {
  return { startMs, proved: 0, late: 0, lost: 0, worstMs: null };
}

/**
 * A round has ended in this bucket. A late receipt comes after its round was counted as lost; see {@link withoutLost}.
 */
export function withRound(bucket: Bucket, result: RoundResult): Bucket {
  if (result.kind === 'missed') return { ...bucket, lost: bucket.lost + 1 };
  const worstMs = Math.max(bucket.worstMs ?? 0, Math.round(result.latencyMs));
  return { ...bucket, [result.kind]: bucket[result.kind] + 1, worstMs };
}

/** A round that was counted as lost has come late after all. */
export function withoutLost(bucket: Bucket): Bucket {
  return { ...bucket, lost: Math.max(0, bucket.lost - 1) };
}

/** Below this share of the rounds that were due the canary was away for a good part of the time. */
const MEASURED_SHARE = 0.6;

/** `expected`: how many rounds were due; 0 for a bucket that is not over, which is taken as it is so far. */
export function bucketState(bucket: Bucket | undefined, expected: number): BucketState {
  if (bucket === undefined) return 'not-measured';
  const { proved, late, lost } = bucket;
  const rounds = proved + late + lost;
  if (rounds === 0) return 'not-measured';
  if (proved === 0) return 'unproved';
  return lost > 0 || late > 0 || rounds < expected * MEASURED_SHARE ? 'partly' : 'proved';
}

/** A time in which a path was in one state. */
export interface Segment {
  readonly state: BucketState;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The last 24 hours of one path without gaps, oldest first; what nobody measured is a segment like any other. Pure. */
export function segmentsOf(
  buckets: ReadonlyMap<number, Bucket>,
  nowMs: number,
  timetable: Timetable,
): Segment[] {
  const currentMs = bucketStart(nowMs);
  const expected = BUCKET_MS / timetable.periodMs;
  const segments: Segment[] = [];
  for (let startMs = currentMs - (BUCKET_COUNT - 1) * BUCKET_MS; startMs <= currentMs; ) {
    const bucket = buckets.get(startMs);
    const state = bucketState(bucket, startMs === currentMs ? 0 : expected);
    const last = segments.at(-1);
    const toMs = Math.min(startMs + BUCKET_MS, Math.max(nowMs, startMs + 1));
    // In the first seconds of a bucket no round has ended yet, which says nothing.
    const tooEarly = startMs === currentMs && bucket === undefined && last !== undefined;
    if (last && (tooEarly || last.state === state))
      segments[segments.length - 1] = { ...last, toMs };
    else segments.push({ state, fromMs: startMs, toMs });
    startMs += BUCKET_MS;
  }
  return segments;
}

export interface SegmentSummary {
  readonly worst: BucketState;
  /** The longest time in the worst state. */
  readonly longest: Segment;
  /** How long (ms) the path was in each state. */
  readonly totalMs: Readonly<Record<BucketState, number>>;
}

/** The worst and how long it was. Pure; throws for no segments at all, which no path has. */
export function summarizeSegments(segments: readonly Segment[]): SegmentSummary {
  const lengthMs = ({ fromMs, toMs }: Segment) => toMs - fromMs;
  const totalMs = { proved: 0, partly: 0, 'not-measured': 0, unproved: 0 };
  for (const segment of segments) totalMs[segment.state] += lengthMs(segment);
  const worst = BUCKET_STATES.findLast((state) => totalMs[state] > 0) ?? 'not-measured';
  const [longest] = segments
    .filter(({ state }) => state === worst)
    .sort((a, b) => lengthMs(b) - lengthMs(a));
  if (!longest) throw new Error('a path without any time');
  return { worst, longest, totalMs };
}
