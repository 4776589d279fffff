import { expect, test } from '@jest/globals';
import { type CompletionReceipt, MAX_PENDING } from '../../shared/receipt/completion-receipt.ts';
import { HeardReceipts } from './heard-receipts.ts';

function aReceipt(more: Partial<CompletionReceipt> = {}): CompletionReceipt {
  return {
    v: 1,
    alertId: 'a'.repeat(32),
    transport: 'fcm',
    shard: 0,
    shards: 4,
    node: 'b',
    counts: { accepted: 0, gone: 0, rejected: 0, dropped: 0 },
    pending: [],
    revision: 1,
    at: '2026-07-14T20:00:00.000Z',
    ...more,
  };
}

const somebody = { pending: ['somebody'] };
const counts = { accepted: 1, gone: 0, rejected: 0, dropped: 0 };

test('a late copy never undoes a newer word, and nodes do not undo each other', () => {
  const heard = new HeardReceipts(4);
  expect(heard.hear(aReceipt({ revision: 2 }), 10)).toBe(true);
  expect(heard.hear(aReceipt({ revision: 1, ...somebody }), 20)).toBe(false);
  expect(heard.hear(aReceipt({ node: 'c', ...somebody }), 30)).toBe(true);
  expect(heard.of(0)).toMatchObject([
    { node: 'b', hasPending: false, heardAtMs: 10 },
    { node: 'c', hasPending: true, heardAtMs: 30 },
  ]);
});

test('a word without anybody accepted is fruitless since it was first heard, until somebody is', () => {
  const heard = new HeardReceipts(4);
  heard.hear(aReceipt(somebody), 10);
  heard.hear(aReceipt({ revision: 2, ...somebody }), 500);
  expect(heard.from(0, 'b')).toMatchObject({ isFruitless: true, fruitlessSinceMs: 10 });
  heard.hear(aReceipt({ revision: 3, ...somebody, counts }), 900);
  expect(heard.from(0, 'b')).toMatchObject({ isFruitless: false, fruitlessSinceMs: undefined });
});

test('a shard in which nobody is to be tried again is not fruitless, whoever was in it', () => {
  const heard = new HeardReceipts(4);
  heard.hear(aReceipt(), 10);
  expect(heard.from(0, 'b')).toMatchObject({ isFruitless: false, namesAll: true });
});

test('P2: a receipt that names as many as it may may lack some', () => {
  const heard = new HeardReceipts(4);
  const pending = Array.from({ length: MAX_PENDING }, (_, i) => `device-${i}`);
  heard.hear(aReceipt({ pending }), 10);
  expect(heard.from(0, 'b')?.namesAll).toBe(false);
});

test('P2: whoever turns out to cut the audience otherwise has forgotten whom it was to try again', () => {
  const heard = new HeardReceipts(4);
  heard.hear(aReceipt(somebody), 10);
  heard.hear(aReceipt({ shard: 1 }), 10);
  expect(heard.hear(aReceipt({ shards: 8, revision: 2 }), 20)).toBe(false);
  expect(heard.cutsOtherwise('b')).toBe(true);
  expect(heard.of(0)).toEqual([]);
  expect(heard.of(1)).toHaveLength(1);
  expect(heard.hear(aReceipt({ revision: 3, ...somebody }), 30)).toBe(false);
});
