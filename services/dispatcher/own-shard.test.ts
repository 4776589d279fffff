import { expect, test } from '@jest/globals';
import { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import { OwnShard, sumCounts } from './own-shard.ts';
import type { Outcome } from './transports/transport.ts';

const [A, B, C] = ['a'.repeat(22), 'b'.repeat(22), 'c'.repeat(22)] as const;
const HEAD = {
  alertId: '0'.repeat(32),
  transport: 'fcm',
  node: 'a',
  shards: 16,
  at: '2026-07-14T20:31:07.000Z',
} as const;
const down: Outcome = { kind: 'unavailable', reason: 'timeout', retryAfterMs: 0 };

test.each<[Outcome, object]>([
  [{ kind: 'accepted' }, { accepted: 1, gone: 0, rejected: 0, dropped: 0 }],
  [{ kind: 'gone' }, { accepted: 0, gone: 1, rejected: 0, dropped: 0 }],
  [
    { kind: 'rejected', reason: 'x' },
    { accepted: 0, gone: 0, rejected: 1, dropped: 0 },
  ],
  [down, { accepted: 0, gone: 0, rejected: 0, dropped: 1 }],
  [
    { kind: 'throttled', scope: 'device', retryAfterMs: 1 },
    { accepted: 0, gone: 0, rejected: 0, dropped: 1 },
  ],
])('%j, not to be tried again, is counted once', (outcome, counts) => {
  const own = new OwnShard(0);
  own.record(A, outcome, undefined);
  expect(own.counts).toEqual(counts);
  expect([...own.pending]).toEqual([]);
});

test('P9: only gone is reported as gone', () => {
  const own = new OwnShard(0);
  own.record(A, { kind: 'gone' }, undefined);
  own.record(B, { kind: 'rejected', reason: 'x' }, undefined);
  own.record(C, down, undefined);
  expect(own.takeGone()).toEqual([A]);
  expect(own.takeGone()).toEqual([]);
});

test('what is to be tried again is pending until its time, taken once, and in every receipt until it has an outcome', () => {
  const own = new OwnShard(3);
  own.record(A, down, { attempt: 2, dueMs: 100 });
  own.record(B, down, { attempt: 2, dueMs: 200 });
  expect(own.takeDue(99, 10)).toEqual([]);
  expect(own.takeDue(100, 10)).toEqual([{ deviceId: A, attempt: 2 }]);
  expect(own.takeDue(150, 10)).toEqual([]);
  expect(own.receipt(HEAD).pending).toEqual([A, B]);
  own.record(A, { kind: 'accepted' }, undefined);
  expect(own.receipt(HEAD)).toMatchObject({ pending: [B], counts: { accepted: 1 } });
  expect(own.takeDue(200, 10)).toEqual([{ deviceId: B, attempt: 2 }]);
  own.record(B, down, { attempt: 3, dueMs: 400 });
  expect(own.takeDue(400, 10)).toEqual([{ deviceId: B, attempt: 3 }]);
});

test('P12: no more than the limit is taken at once', () => {
  const own = new OwnShard(0);
  own.resumePending([A, B, C], 0);
  expect(own.takeDue(0, 2)).toHaveLength(2);
  expect(own.takeDue(0, 2)).toHaveLength(1);
});

test('a device that is no longer subscribed is dropped, not tried for ever', () => {
  const own = new OwnShard(0);
  own.resumePending([A], 0);
  own.takeDue(0, 1);
  own.forget(A);
  expect(own.receipt(HEAD)).toMatchObject({ pending: [], counts: { dropped: 1 } });
});

test('receipts are what the contract says, and each is newer than the one before', () => {
  const own = new OwnShard(7, 'b');
  own.resumePending([A], 0);
  const [first, second] = [own.receipt(HEAD), own.receipt(HEAD)];
  expect(CompletionReceipt.parse(first)).toEqual(first);
  expect(first).toMatchObject({ shard: 7, takenOverFrom: 'b', pending: [A] });
  expect(second.revision).toBeGreaterThan(first.revision);
  expect(new OwnShard(7).receipt(HEAD)).not.toHaveProperty('takenOverFrom');
});

test('a later life goes on where the receipt stood: counts, pending at once, a newer revision', () => {
  const before = new OwnShard(1);
  before.record(A, { kind: 'accepted' }, undefined);
  before.record(B, down, { attempt: 5, dueMs: 999_999 });
  before.receipt(HEAD);
  const last = before.receipt(HEAD);
  const after = new OwnShard(1);
  after.resume(last, 50);
  expect(after.settled).toBe(true);
  expect(after.takeDue(50, 10)).toEqual([{ deviceId: B, attempt: 2 }]);
  expect(after.receipt(HEAD)).toEqual({ ...last, revision: last.revision + 1 });
});

test('P2: what a node says after it lost its journal is newer than what its peers hold of it', () => {
  const before = new OwnShard(1);
  for (let i = 0; i < 50; i++) before.receipt(HEAD);
  const last = before.receipt(HEAD);
  const later = new Date(Date.parse(HEAD.at) + 1_000).toISOString();
  expect(new OwnShard(1).receipt({ ...HEAD, at: later }).revision).toBeGreaterThan(last.revision);
});

test('a clock that was set back does not make a receipt old', () => {
  const own = new OwnShard(1);
  const last = own.receipt(HEAD);
  const earlier = new Date(Date.parse(HEAD.at) - 1_000).toISOString();
  expect(own.receipt({ ...HEAD, at: earlier }).revision).toBe(last.revision + 1);
});

test('a resumed shard does not count into the receipt that it came from', () => {
  const before = new OwnShard(1).receipt(HEAD);
  const after = new OwnShard(1);
  after.resume(before, 0);
  after.record(A, { kind: 'accepted' }, undefined);
  expect(before.counts.accepted).toBe(0);
});

test('sums add each kind on its own', () => {
  const counts = { accepted: 1, gone: 2, rejected: 3, dropped: 4 };
  expect(sumCounts([])).toEqual({ accepted: 0, gone: 0, rejected: 0, dropped: 0 });
  expect(sumCounts([counts, counts])).toEqual({ accepted: 2, gone: 4, rejected: 6, dropped: 8 });
});
