import { expect, test } from '@jest/globals';
import { createAgeClock } from './age-clock.ts';

test.each([
  ['both go on', 1_000, 1_000, 1_000],
  ['the wall clock is set back', -3_600_000, 1_000, 1_000],
  ['the machine was suspended: only the wall clock went on', 600_000, 5, 600_000],
  ['neither moves', 0, 0, 0],
])('P5: an age is never too young: %s', (_what, wallStep, monotonicStep, expected) => {
  let wall = 50_000;
  let monotonic = 7;
  const clock = createAgeClock(
    () => wall,
    () => monotonic,
  );
  const before = clock();
  wall += wallStep;
  monotonic += monotonicStep;
  expect(clock() - before).toBe(expected);
});
