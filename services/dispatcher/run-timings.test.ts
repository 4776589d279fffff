import { expect, test } from '@jest/globals';
import { timingCount } from '../../shared/receipt/accept-timing.ts';
import { RunTimings } from './run-timings.ts';

test('a node’s sends are known by its peers through its receipts, and by itself after a restart', () => {
  const a = new RunTimings('a');
  for (let ms = 100; ms < 200; ms++) a.accepted(ms % 4, ms);
  const receipts = [0, 1, 2, 3].map((shard) => ({
    node: 'a',
    shard,
    revision: 1,
    timing: a.of(shard),
  }));
  const [b, again] = [new RunTimings('b'), new RunTimings('a')];
  b.accepted(9, 5_000);
  for (const receipt of receipts) {
    b.heard(receipt);
    again.heard(receipt);
  }
  expect(b.byNode()['a']).toEqual(a.byNode()['a']);
  expect(again.byNode()['a']).toEqual(a.byNode()['a']);
  expect(b.byNode()['b']).toMatchObject({ firstMs: 5_000, lastMs: 5_000 });
});

test('the latest receipt of a node for a shard counts, whichever way and how often it came', () => {
  const a = new RunTimings('a');
  a.accepted(0, 100);
  const first = { node: 'a', shard: 0, revision: 1, timing: a.of(0) };
  a.accepted(0, 200);
  const second = { node: 'a', shard: 0, revision: 2, timing: a.of(0) };
  const b = new RunTimings('b');
  for (const receipt of [second, first, second, first]) b.heard(receipt);
  const known = b.byNode()['a'];
  expect(known && timingCount(known)).toBe(2);
});

test('receipts of an older version say nothing of times', () => {
  const b = new RunTimings('b');
  b.heard({ node: 'a', shard: 0, revision: 1 });
  expect(b.byNode()).toEqual({});
});
