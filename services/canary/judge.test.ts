import { expect, test } from '@jest/globals';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import {
  createJudge,
  judgePath,
  newPathRecord,
  type PathRecord,
  type RoundResult,
  recordRound,
  summarize,
} from './judge.ts';

const PATH: CanaryPath = { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'fcm' };
const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };
const proved: RoundResult = { kind: 'proved', latencyMs: 340 };
const missed: RoundResult = { kind: 'missed', stage: 'not-received' };
const SECOND = 1000;

const START = 1_000_000;
const fresh = newPathRecord(PATH, START);
const provedAtStart = recordRound(fresh, proved, START);
const judge = (record: PathRecord, seconds: number) =>
  judgePath(record, START + seconds * SECOND, TIMETABLE);

test.each([
  [0, 'proved', 0],
  [66, 'proved', 0],
  [90, 'proved', 1],
  [90.001, 'late', 1],
  [150, 'late', 2],
  [150.001, 'unproved', 2],
  [212, 'unproved', 3],
  [86_400, 'unproved', 1439],
] as const)(
  'P5: %d s after the last proof, with nothing else said by anybody, a path is %s with %d rounds missed',
  (seconds, state, consecutiveMisses) => {
    expect(judge(provedAtStart, seconds)).toMatchObject({
      state,
      consecutiveMisses,
      ageMs: seconds * SECOND,
    });
  },
);

test('P5: a path that was never proved is not measured, however long nobody complains', () => {
  for (const seconds of [0, 60, 100_000]) {
    expect(judge(fresh, seconds)).toMatchObject({
      state: 'not-measured',
      ageMs: null,
      silenceMs: seconds * SECOND,
    });
  }
});

test('P5: only a proof ends an alarm; more misses, late receipts and silence do not', () => {
  let record = provedAtStart;
  for (let at = 60; at <= 600; at += 60) {
    record = recordRound(record, missed, START + at * SECOND);
    record = recordRound(record, { kind: 'late', latencyMs: 20_000 }, START + (at + 20) * SECOND);
    const { state } = judge(record, at + 20);
    expect(state).toBe(at + 20 <= 90 ? 'proved' : at + 20 <= 150 ? 'late' : 'unproved');
  }
  expect(judge(record, 700).consecutiveMisses).toBe(11);
  expect(judge(recordRound(record, proved, START + 710 * SECOND), 711)).toMatchObject({
    state: 'proved',
    consecutiveMisses: 0,
    ageMs: SECOND,
  });
});

test('misses that the scheduler reports count before the clock would see them', () => {
  const twice = recordRound(recordRound(provedAtStart, missed, START), missed, START);
  expect(judge(twice, 20)).toMatchObject({ state: 'proved', consecutiveMisses: 2 });
});

test('P5: the sum of no paths, or of paths that were never proved, is no proof', () => {
  expect(summarize([])).toMatchObject({ anyProved: false, newestProofAgeMs: null });
  expect(summarize([judge(fresh, 34), judge(fresh, 34)])).toEqual({
    provedPaths: 0,
    totalPaths: 2,
    newestProofAgeMs: null,
    anyProved: false,
    silenceMs: 34_000,
  });
});

test('the whole is as old as its newest proof', () => {
  expect(summarize([judge(provedAtStart, 4), judge(fresh, 4), judge(provedAtStart, 200)])).toEqual({
    provedPaths: 1,
    totalPaths: 3,
    newestProofAgeMs: 4_000,
    anyProved: true,
    silenceMs: 4_000,
  });
});

test('P5: a judge whose scheduler is dead turns a proved path bad by its own clock', () => {
  let nowMs = START;
  const held = createJudge([PATH], TIMETABLE, () => nowMs);
  expect(held.everProved(PATH)).toBe(false);
  held.record(PATH, proved);
  expect([held.everProved(PATH), held.judged()[0]?.state]).toEqual([true, 'proved']);
  nowMs += 212 * SECOND;
  expect(held.judged()[0]).toMatchObject({ state: 'unproved', consecutiveMisses: 3 });
});
