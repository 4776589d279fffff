import { expect, test } from '@jest/globals';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import { figuresOfReceipts } from './receipt-figures.ts';

const DEVICE = 'd'.repeat(22);
const receipt = (changes: Partial<CompletionReceipt>): CompletionReceipt => ({
  v: 1,
  alertId: 'a'.repeat(32),
  transport: 'fcm',
  shard: 0,
  shards: 4,
  node: 'a',
  counts: { accepted: 10, gone: 1, rejected: 0, dropped: 0 },
  pending: [],
  revision: 0,
  at: '2026-11-22T03:00:00Z',
  ...changes,
});

test('a node that was started again still knows of everybody whom its peers had told it', () => {
  const figures = figuresOfReceipts('a', [
    receipt({ shard: 0 }),
    receipt({ shard: 1, node: 'b' }),
    // Both did it: the same people.
    receipt({ shard: 2 }),
    receipt({ shard: 2, node: 'b' }),
  ]);
  expect(figures).toMatchObject({
    audience: 33,
    acceptedKnown: 30,
    counts: { accepted: 20, gone: 2 },
    shardsTotal: 4,
    shardsOwn: 2,
    shardsByPeers: 1,
  });
});

test('who takes over from a dead peer reaches the rest of its shard, and nobody twice', () => {
  const figures = figuresOfReceipts('a', [
    receipt({ node: 'b', pending: [DEVICE] }),
    receipt({
      takenOverFrom: 'b',
      counts: { accepted: 1, gone: 0, rejected: 0, dropped: 0 },
    }),
  ]);
  expect(figures).toMatchObject({
    audience: 12,
    acceptedKnown: 11,
    counts: { accepted: 1 },
    pending: 0,
    shardsOwn: 0,
    shardsByPeers: 0,
  });
});

test.each([
  [
    'two nodes took over from it, one after the other',
    [
      ['b', 10, 2],
      ['a', 1, 1, 'b'],
      ['c', 2, 0, 'b'],
    ],
    12,
  ],
  [
    'it came back and reached the rest itself',
    [
      ['b', 12, 0],
      ['a', 2, 0, 'b'],
    ],
    12,
  ],
  [
    'it came back and reached some of the rest',
    [
      ['b', 11, 1],
      ['a', 2, 0, 'b'],
    ],
    12,
  ],
  [
    'another node did the whole shard meanwhile',
    [
      ['b', 10, 2],
      ['c', 12, 0],
      ['a', 2, 0, 'b'],
    ],
    12,
  ],
  ['who took over from it is all that is known', [['a', 2, 0, 'b']], 2],
] as const)('nobody who was taken over counts twice: %s', (_what, said, expected) => {
  const receipts = said.map(([node, accepted, pending, takenOverFrom]) =>
    receipt({
      node,
      counts: { accepted, gone: 0, rejected: 0, dropped: 0 },
      pending: Array.from({ length: pending }, () => DEVICE),
      ...(takenOverFrom === undefined ? {} : { takenOverFrom }),
    }),
  );
  expect(figuresOfReceipts('a', receipts)?.acceptedKnown).toBe(expected);
});

test('another cut of the same audience is not added to it, and no receipt is no figure', () => {
  expect(figuresOfReceipts('a', [receipt({ shards: 8 }), receipt({ node: 'b' })])).toMatchObject({
    audience: 11,
    acceptedKnown: 10,
  });
  expect(figuresOfReceipts('a', [])).toBeUndefined();
});
