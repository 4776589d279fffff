import { expect, test } from '@jest/globals';
import { createPace } from './pace.ts';

test('each request gets its turn; providers do not wait for each other; 0 is no pace and forgets', () => {
  let nowMs = 5_000;
  const pace = createPace(() => nowMs);
  expect([1, 2, 3].map(() => pace('fcm', 10))).toEqual([0, 100, 200]);
  expect(pace('webPush', 10)).toBe(0);
  nowMs = 5_250;
  expect(pace('fcm', 10)).toBe(50);
  expect([pace('fcm', 0), pace('fcm', 10)]).toEqual([0, 0]);
});

test('P12: nobody waits longer than a minute', () => {
  const pace = createPace(() => 0);
  const waits = Array.from({ length: 500 }, () => pace('fcm', 1));
  expect(Math.max(...waits)).toBe(60_000);
});
