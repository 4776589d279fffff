import { expect, test } from '@jest/globals';
import { allPaths, pathName } from './paths.ts';
import { nextRoundAtMs, phaseOf, scheduleRounds, sweepDelayMs } from './schedule-rounds.ts';

const PERIOD = 60_000;
const NOON = Date.UTC(2026, 6, 14, 12);

test('every path has its turn once a period, spread evenly, never in the first second of a minute', () => {
  for (const random of [0, 0.5, 0.999]) {
    for (let index = 0; index < 16; index++) {
      const slot = { index, total: 16, periodMs: PERIOD, phase: 0.3 };
      let at = NOON + 7_000;
      for (let round = 0; round < 5; round++) {
        const next = nextRoundAtMs(slot, at + 200, random);
        if (round > 0) {
          expect(next - at).toBeGreaterThan(PERIOD * 0.85);
          expect(next - at).toBeLessThan(PERIOD * 1.15);
        }
        expect(next % PERIOD).toBeGreaterThanOrEqual(1_500);
        at = next;
      }
    }
  }
});

test('some path is proved every few seconds', () => {
  const turns = Array.from({ length: 16 }, (_, index) =>
    nextRoundAtMs({ index, total: 16, periodMs: PERIOD, phase: 0.5 }, NOON, 0.5),
  ).sort((a, b) => a - b);
  const gaps = turns.slice(1).map((at, i) => at - (turns[i] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(PERIOD / 16);
});

test('a round moved forward by its jitter is not run twice in one slot', () => {
  const slot = { index: 8, total: 16, periodMs: PERIOD, phase: 0 };
  const early = nextRoundAtMs(slot, NOON, 0);
  expect(nextRoundAtMs(slot, early + 100, 0) - early).toBeGreaterThan(PERIOD * 0.9);
});

test('two canaries have places of their own', () => {
  expect(phaseOf('a')).not.toBe(phaseOf('b'));
  expect(phaseOf('a')).toBeGreaterThanOrEqual(0);
  expect(phaseOf('a')).toBeLessThan(1);
});

test('P11: the first sweep of 16 paths takes 4.5 s, and of any number at most half a minute', () => {
  expect([0, 1, 15].map((i) => sweepDelayMs(i, 16))).toEqual([0, 300, 4500]);
  expect(sweepDelayMs(499, 500)).toBeLessThanOrEqual(30_000);
});

test('rounds of one path never overlap, and a path that hangs delays no other', async () => {
  const stop = new AbortController();
  const hanging = Promise.withResolvers<void>();
  const [slow, quick] = allPaths(['a'], ['a']);
  if (!slow || !quick) throw new Error('two paths are needed');
  const runs: string[] = [];
  const done = scheduleRounds(
    [slow, quick],
    { periodMs: 40, canary: 'a' },
    {
      runRound: async (path) => {
        runs.push(pathName(path));
        if (path === slow) await hanging.promise;
        if (runs.filter((name) => name === pathName(quick)).length === 3) stop.abort();
      },
      everProved: () => true,
      // A minute's first second would hold up a test with so short a period.
      now: () => NOON + 30_000 + performance.now(),
      random: () => 0.5,
      signal: stop.signal,
    },
  );
  stop.signal.addEventListener('abort', () => hanging.resolve());
  await done;
  expect(runs.filter((name) => name === pathName(slow))).toHaveLength(1);
});
