import { expect, test } from '@jest/globals';
import { answersSince } from './health.ts';

const counts = (accepted: number, refused: Record<string, number> = {}, unanswered = 0) => ({
  requests: accepted,
  accepted,
  refused,
  unanswered,
});

test('what the providers answered is told since the breakage, in their own status codes', () => {
  const before = { fcm: counts(10, { 503: 1 }), webPush: counts(7) };
  const now = { fcm: counts(22, { 503: 4, 429: 2 }), webPush: counts(7, {}, 3) };
  expect(answersSince(before, now)).toEqual([
    'FCM 200 × 12',
    'FCM 429 × 2',
    'FCM 503 × 3',
    'Web Push no answer × 3',
  ]);
});

test('a provider that was asked nothing says nothing, which is no success', () => {
  const same = { fcm: counts(1), webPush: counts(1) };
  expect(answersSince(same, same)).toEqual(['FCM nothing', 'Web Push nothing']);
});
