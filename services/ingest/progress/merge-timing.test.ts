import { expect, test } from '@jest/globals';
import { type AcceptTiming, TimingTally } from '../../../shared/receipt/accept-timing.ts';
import { mergeTiming } from './merge-timing.ts';

function timing(times: readonly number[]): AcceptTiming {
  const tally = new TimingTally();
  for (const ms of times) tally.add(ms);
  if (!tally.timing) throw new Error('no times');
  return tally.timing;
}

const early = timing([100, 200, 300]);
const late = timing([1_000, 2_000, 4_000, 8_000]);

test('nodes’ parts add up, in seconds', () => {
  const merged = mergeTiming([{ timings: { a: early } }, { timings: { b: late } }]);
  expect(merged).toMatchObject({
    from: 'issuedAt',
    counted: 7,
    firstSeconds: 0.1,
    lastSeconds: 8,
  });
  expect(merged?.p50Seconds).toBeGreaterThan(0.88);
  expect(merged?.p50Seconds).toBeLessThan(1.13);
});

test('what a dead node had sent is known by its peers’ receipts', () => {
  expect(mergeTiming([{ timings: { b: late, a: early } }])).toMatchObject({ counted: 7 });
});

test('a node’s own word and its peers’ on it are one thing: the newer counts, once', () => {
  const older = timing([100, 200]);
  expect(
    mergeTiming([{ timings: { a: early, b: late } }, { timings: { a: older, b: late } }]),
  ).toMatchObject({ counted: 7 });
});

test('no timing from nodes of an older version, or while nothing was accepted', () => {
  expect(mergeTiming([{}, { timings: {} }])).toBeNull();
});
