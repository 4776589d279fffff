import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from './backoff.ts';
import { oncePerTurn } from './once-per-turn.ts';
import { sleep } from './sleep.ts';

test.each([
  [1, 0, 50],
  [1, 0.999, 100],
  [2, 0, 100],
  [5, 0, 800],
  [30, 0, 2500],
  [9999, 0.999, 4998],
])('attempt %i with random %d waits %i ms', (attempt, random, expected) => {
  expect(backoffMs(attempt, { firstMs: 100, maxMs: 5_000 }, random)).toBe(expected);
});

test('P12: a wait is never longer than the limit nor shorter than half of the first', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), random, (attempt, at) => {
      const wait = backoffMs(attempt, { firstMs: 250, maxMs: 60_000 }, at);
      expect(wait).toBeGreaterThanOrEqual(125);
      expect(wait).toBeLessThanOrEqual(60_000);
    }),
  );
});

test('a clock that is read once per turn stands still within it, and goes on with the next', async () => {
  let readings = 0;
  const clock = oncePerTurn(() => ++readings);
  for (let turn = 1; turn <= 3; turn++) {
    expect([clock(), clock(), clock()]).toEqual([turn, turn, turn]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const seen: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  clock();
  // Time that is spent waiting is not passed over.
  setTimeout(() => {
    seen.push(clock());
    resolve();
  }, 5);
  await promise;
  expect(seen).toEqual([5]);
});

test('a sleep ends when it is over, or at once when it is not wanted any more', async () => {
  expect(await sleep(1)).toBe(true);
  expect(await sleep(60_000, AbortSignal.abort())).toBe(false);
  const controller = new AbortController();
  const sleeping = sleep(60_000, controller.signal);
  controller.abort();
  expect(await sleeping).toBe(false);
});
