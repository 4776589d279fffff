import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../transport.ts';
import { webPushOutcome } from './web-push-outcome.ts';

const answer = (status: number, retryAfter?: string) => ({
  kind: 'answer' as const,
  status,
  retryAfter,
  body: '',
});
const rejected = (reason: string): Outcome => ({ kind: 'rejected', reason });
const unavailable = (reason: string, retryAfterMs: number): Outcome => ({
  kind: 'unavailable',
  reason,
  retryAfterMs,
});
const throttled = (retryAfterMs: number): Outcome => ({
  kind: 'throttled',
  scope: 'device',
  retryAfterMs,
});

const TABLE: [status: number, retryAfter: string | undefined, Outcome][] = [
  [200, undefined, { kind: 'accepted' }],
  [201, undefined, { kind: 'accepted' }],
  [202, undefined, { kind: 'accepted' }],
  [204, undefined, { kind: 'accepted' }],
  [206, undefined, unavailable('unexpected-answer', 60_000)],
  [301, undefined, unavailable('unexpected-answer', 60_000)],
  [307, undefined, unavailable('unexpected-answer', 60_000)],
  [400, undefined, rejected('invalid-message')],
  [401, undefined, unavailable('auth', 60_000)],
  [403, undefined, unavailable('auth', 60_000)],
  [404, undefined, { kind: 'gone' }],
  [406, undefined, throttled(60_000)],
  [406, '3', throttled(3_000)],
  [408, undefined, unavailable('provider-error', 10_000)],
  [410, undefined, { kind: 'gone' }],
  [411, undefined, rejected('unexpected-status')],
  [413, undefined, rejected('too-large')],
  [415, undefined, rejected('unexpected-status')],
  [425, undefined, unavailable('provider-error', 10_000)],
  [429, undefined, throttled(60_000)],
  [429, '120', throttled(120_000)],
  [429, '0', throttled(0)],
  [429, '-5', throttled(60_000)],
  [500, undefined, unavailable('provider-error', 10_000)],
  [502, undefined, unavailable('provider-error', 10_000)],
  [503, '2', unavailable('provider-error', 10_000)],
  [503, '120', unavailable('provider-error', 120_000)],
  [504, undefined, unavailable('provider-error', 10_000)],
];

describe('push service answer → outcome', () => {
  test.each(TABLE)('%i, Retry-After %s', (status, retryAfter, expected) => {
    expect(webPushOutcome(answer(status, retryAfter), 0)).toEqual(expected);
  });

  test('P9: of all statuses only 404 and 410 are `gone`', () => {
    const gone = Array.from({ length: 500 }, (_, i) => i + 100).filter(
      (status) => webPushOutcome(answer(status), 0).kind === 'gone',
    );
    expect(gone).toEqual([404, 410]);
  });
});
