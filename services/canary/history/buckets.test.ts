import { expect, test } from '@jest/globals';
import {
  BUCKET_COUNT,
  BUCKET_MS,
  type Bucket,
  bucketState,
  emptyBucket,
  segmentsOf,
  summarizeSegments,
  withoutLost,
  withRound,
} from './buckets.ts';

const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };
const NOW = Date.UTC(2026, 6, 14, 20, 32);
const START = Date.UTC(2026, 6, 13, 20, 35);

const bucket = (startMs: number, changes: Partial<Bucket> = {}): Bucket => ({
  ...emptyBucket(startMs),
  proved: 5,
  worstMs: 300,
  ...changes,
});
/** A whole day of good rounds, but for what `changed` says by its start; undefined there: nobody measured. */
function day(changed: Record<number, Bucket | undefined> = {}): Map<number, Bucket> {
  const buckets = new Map<number, Bucket>();
  for (let i = 0; i < BUCKET_COUNT; i++) {
    const startMs = START + i * BUCKET_MS;
    const own = startMs in changed ? changed[startMs] : bucket(startMs);
    if (own) buckets.set(startMs, own);
  }
  return buckets;
}

test.each<[string, Partial<Bucket> | undefined, string]>([
  ['nobody measured', undefined, 'not-measured'],
  ['no round ended', { proved: 0 }, 'not-measured'],
  ['all were proved', {}, 'proved'],
  ['the jitter moved one out', { proved: 4 }, 'proved'],
  ['one was lost', { proved: 4, lost: 1 }, 'partly'],
  ['one was late', { proved: 4, late: 1 }, 'partly'],
  ['the canary was away for half of it', { proved: 2 }, 'partly'],
  ['none was proved', { proved: 0, lost: 5 }, 'unproved'],
  ['all were late', { proved: 0, late: 5 }, 'unproved'],
])('five minutes in which %s are %#', (_what, changes, expected) => {
  expect(bucketState(changes && bucket(0, changes), 5)).toBe(expected);
});

test('a round counts once; a late one takes the place of the miss that it was counted as', () => {
  const missed = withRound(emptyBucket(0), { kind: 'missed', stage: 'not-received' });
  expect(missed).toMatchObject({ proved: 0, late: 0, lost: 1, worstMs: null });
  const late = withoutLost(withRound(missed, { kind: 'late', latencyMs: 12_340.6 }));
  expect(late).toMatchObject({ proved: 0, late: 1, lost: 0, worstMs: 12_341 });
  expect(withRound(late, { kind: 'proved', latencyMs: 80 })).toMatchObject({
    proved: 1,
    worstMs: 12_341,
  });
  expect(withoutLost(emptyBucket(0)).lost).toBe(0);
});

test('a day has no gaps: the time when the canary was dead is a segment like any other', () => {
  const away = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [START + (100 + i) * BUCKET_MS, undefined]),
  );
  const segments = segmentsOf(day(away), NOW, TIMETABLE);
  expect(segments.map(({ state }) => state)).toEqual(['proved', 'not-measured', 'proved']);
  for (const [i, segment] of segments.slice(1).entries())
    expect(segment.fromMs).toBe(segments[i]?.toMs);
  expect(segments[0]?.fromMs).toBe(START);
  expect(segments.at(-1)?.toMs).toBe(NOW);
  expect(summarizeSegments(segments)).toMatchObject({
    worst: 'not-measured',
    totalMs: { 'not-measured': 3_600_000, unproved: 0 },
  });
});

test('P5: the worst is named with how long it was, and "no proof" is worse than "not measured"', () => {
  const at = (i: number) => START + i * BUCKET_MS;
  const dead = (i: number) => bucket(at(i), { proved: 0, lost: 5 });
  const changed = {
    [at(10)]: dead(10),
    [at(20)]: dead(20),
    [at(21)]: dead(21),
    [at(40)]: undefined,
  };
  const summary = summarizeSegments(segmentsOf(day(changed), NOW, TIMETABLE));
  expect(summary.worst).toBe('unproved');
  expect(summary.longest).toEqual({ state: 'unproved', fromMs: at(20), toMs: at(22) });
  expect(summary.totalMs.unproved).toBe(3 * BUCKET_MS);
});

test('P5: nothing at all is "not measured" for all of the day', () => {
  const segments = segmentsOf(new Map(), NOW, TIMETABLE);
  expect(segments).toEqual([{ state: 'not-measured', fromMs: START, toMs: NOW }]);
});

test('the bucket of this moment is judged by what has ended in it, and not before something has', () => {
  const current = START + (BUCKET_COUNT - 1) * BUCKET_MS;
  const ofCurrent = (own: Bucket | undefined) =>
    segmentsOf(day({ [current]: own }), NOW, TIMETABLE).map(({ state }) => state);
  expect(ofCurrent(undefined)).toEqual(['proved']);
  expect(ofCurrent(bucket(current, { proved: 1 }))).toEqual(['proved']);
  expect(ofCurrent(bucket(current, { proved: 0, lost: 1 }))).toEqual(['proved', 'unproved']);
});
