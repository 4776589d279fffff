import { expect, test } from '@jest/globals';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import { nextBatch } from './peers.ts';

/** As long as a receipt may be: node names, counts and instants at their longest. */
function receipt(shard: number, pending: number): CompletionReceipt {
  return {
    v: 1,
    alertId: '0'.repeat(32),
    transport: 'web-push',
    shard,
    shards: 1024,
    node: 'n'.repeat(16),
    counts: { accepted: 999_999, gone: 999_999, rejected: 999_999, dropped: 999_999 },
    pending: Array.from({ length: pending }, (_, i) => String(i).padStart(22, 'p')),
    takenOverFrom: 'm'.repeat(16),
    revision: 999_999,
    at: '2026-07-14T20:31:07.000Z',
  };
}

test.each([0, 1, 2_000, 20_000])(
  'P12: receipts with %i pending each are said in order, in posts that a peer takes',
  (pending) => {
    const queue = Array.from({ length: 210 }, (_, shard) => receipt(shard, pending));
    const said: number[] = [];
    while (queue.length > 0) {
      const batch = nextBatch(queue);
      expect(batch.length).toBeGreaterThan(0);
      expect(batch.length).toBeLessThanOrEqual(500);
      expect(JSON.stringify(batch).length).toBeLessThan(4 * 1024 * 1024);
      said.push(...batch.map(({ shard }) => shard));
      queue.splice(0, batch.length);
    }
    expect(said).toEqual(Array.from({ length: 210 }, (_, shard) => shard));
  },
);

test('small receipts go many at a time', () => {
  expect(nextBatch(Array.from({ length: 200 }, (_, shard) => receipt(shard, 0)))).toHaveLength(100);
  expect(nextBatch([])).toEqual([]);
});
