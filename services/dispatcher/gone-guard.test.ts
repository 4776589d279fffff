import { expect, test } from '@jest/globals';
import { GoneGuard } from './gone-guard.ts';

const HOUR_MS = 3_600_000;
const MILLION = 1_000_000;

test.each<[string, { gone: number; sent: number }, number, boolean]>([
  ['nobody gone', { gone: 0, sent: 2_000 }, MILLION, true],
  ['a few of a shard', { gone: 30, sent: 2_000 }, MILLION, true],
  ['exactly a fifth', { gone: 400, sent: 2_000 }, MILLION, true],
  ['one more than a fifth', { gone: 401, sent: 2_000 }, MILLION, false],
  ['all of a batch that is too small to judge', { gone: 4, sent: 4 }, MILLION, true],
  ['half of a small batch', { gone: 9, sent: 18 }, MILLION, true],
  ['most of a small batch', { gone: 10, sent: 18 }, MILLION, false],
  ['all of the smallest batch that is judged', { gone: 20, sent: 20 }, MILLION, false],
  ['as many as a small registry loses without a fault', { gone: 50, sent: 2_000 }, 2_000, true],
  ['more than that', { gone: 51, sent: 2_000 }, 2_000, false],
])('P9: %s', (_title, batch, size, allowed) => {
  expect(new GoneGuard().mayRemove({ transport: 'fcm', ...batch }, size, 0)).toBe(allowed);
});

test('P9: a storm over shards of a small audience is seen over all of them, and of one transport only', () => {
  const guard = new GoneGuard();
  const small = { gone: 6, sent: 19 };
  const removed = (transport: 'fcm' | 'web-push', nowMs: number) =>
    guard.mayRemove({ transport, ...small }, MILLION, nowMs);
  expect(removed('fcm', 0)).toBe(true);
  expect(removed('fcm', 1)).toBe(false);
  expect(removed('fcm', 59_000)).toBe(false);
  expect(removed('web-push', 59_000)).toBe(true);
  expect(removed('fcm', 180_000)).toBe(true);
});

test('P9: a slow storm is one too: at most 0.5 % of the registry in an hour, then again in the next', () => {
  const guard = new GoneGuard();
  const removed = (nowMs: number) =>
    guard.mayRemove({ transport: 'fcm', gone: 100, sent: 2_000 }, MILLION, nowMs);
  for (let i = 0; i < 50; i++) expect(removed(i)).toBe(true);
  expect(removed(50)).toBe(false);
  expect(removed(HOUR_MS - 1)).toBe(false);
  // What was refused was not removed, so it does not count.
  expect(removed(HOUR_MS)).toBe(true);
});
