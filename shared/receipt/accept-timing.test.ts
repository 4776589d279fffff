import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  AcceptTiming,
  mergeTimings,
  TimingTally,
  timingCount,
  timingPercentile,
} from './accept-timing.ts';

function timingOf(times: readonly number[]): AcceptTiming {
  const tally = new TimingTally();
  for (const ms of times) tally.add(ms);
  return AcceptTiming.parse(tally.timing);
}

const times = fc.array(fc.integer({ min: 0, max: 4_000_000 }), { minLength: 1, maxLength: 300 });

test('a percentile is within 12 % (or 50 ms) of the exact one', () => {
  fc.assert(
    fc.property(times, fc.constantFrom(0.5, 0.95, 0.99, 1), (all, part) => {
      const sorted = all.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
      const found = timingPercentile(timingOf(all), part);
      // Above 55 minutes there is one bucket.
      if (exact < 3_300_000)
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(Math.max(50, exact * 0.121));
    }),
  );
});

test('parts of different nodes add up to what one node would have seen, in any order', () => {
  fc.assert(
    fc.property(fc.array(times, { minLength: 1, maxLength: 5 }), (parts) => {
      const whole = timingOf(parts.flat());
      expect(mergeTimings(parts.map(timingOf))).toEqual(whole);
      expect(mergeTimings(parts.map(timingOf).reverse())).toEqual(whole);
      expect(timingCount(whole)).toBe(parts.flat().length);
    }),
  );
});

test('P12: a timing of ten million devices over hours is under a kilobyte', () => {
  const all = timingOf(Array.from({ length: 500 }, (_, i) => 30 * 1.025 ** i));
  const many = { ...all, counts: all.counts.map(() => 100_000) };
  expect(all.counts).toHaveLength(100);
  expect(JSON.stringify(AcceptTiming.parse(many)).length).toBeLessThan(1_024);
});

test('first and last are exact, and a clock that is behind counts as no time at all', () => {
  expect(timingOf([1_234, 777, -20, 9_999])).toMatchObject({ firstMs: 0, lastMs: 9_999 });
});

test('of nothing there is no timing', () => {
  expect(mergeTimings([])).toBeUndefined();
});
