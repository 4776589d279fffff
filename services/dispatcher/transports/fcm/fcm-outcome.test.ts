import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../transport.ts';
import { fcmOutcome, refusesAccessToken } from './fcm-outcome.ts';

const NOW = Date.parse('2026-07-14T22:30:00Z');

const fcmError = (errorCode: string) => ({
  '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError',
  errorCode,
});
const quotaFailure = (...subjects: string[]) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: subjects.map((subject) => ({ subject, description: 'rate exceeded' })),
});
const badRequest = (field: string) => ({
  '@type': 'type.googleapis.com/google.rpc.BadRequest',
  fieldViolations: [{ field, description: 'wrong' }],
});
const body = (status: string, ...details: unknown[]) =>
  JSON.stringify({ error: { code: 0, message: 'm', status, details } });
const answer = (status: number, text = '', retryAfter?: string) => ({
  kind: 'answer' as const,
  status,
  retryAfter,
  body: text,
});

const GONE: Outcome = { kind: 'gone' };
const rejected = (reason: string): Outcome => ({ kind: 'rejected', reason });
const unavailable = (reason: string, retryAfterMs: number): Outcome => ({
  kind: 'unavailable',
  reason,
  retryAfterMs,
});
const throttled = (scope: 'device' | 'project', retryAfterMs: number): Outcome => ({
  kind: 'throttled',
  scope,
  retryAfterMs,
});

type Row = [what: string, status: number, text: string, retryAfter: string | undefined, Outcome];
const TABLE: Row[] = [
  ['taken', 200, '{"name":"projects/p/messages/1"}', undefined, { kind: 'accepted' }],
  ['taken, body lost', 200, '', undefined, { kind: 'accepted' }],
  ['UNREGISTERED', 404, body('NOT_FOUND', fcmError('UNREGISTERED')), undefined, GONE],
  ['UNREGISTERED as 400', 400, body('X', fcmError('UNREGISTERED')), undefined, GONE],
  ['bare 404', 404, '', undefined, unavailable('not-found', 60_000)],
  ['404, wrong project', 404, body('NOT_FOUND'), undefined, unavailable('not-found', 60_000)],
  ['404, HTML', 404, '<html>404</html>', undefined, unavailable('not-found', 60_000)],
  ['410', 410, '', undefined, unavailable('not-found', 60_000)],
  [
    'a token that is none',
    400,
    body('INVALID_ARGUMENT', fcmError('INVALID_ARGUMENT'), badRequest('message.token')),
    undefined,
    rejected('bad-token'),
  ],
  [
    'a wrong message',
    400,
    body('INVALID_ARGUMENT', fcmError('INVALID_ARGUMENT'), badRequest('message.data')),
    undefined,
    rejected('invalid-message'),
  ],
  ['400, no body', 400, '', undefined, rejected('invalid-message')],
  ['400, null', 400, 'null', undefined, rejected('invalid-message')],
  ['400, odd details', 400, '{"error":{"details":7}}', undefined, rejected('invalid-message')],
  ['401', 401, body('UNAUTHENTICATED'), undefined, unavailable('auth', 60_000)],
  [
    'APNs key refused',
    401,
    body('UNAUTHENTICATED', fcmError('THIRD_PARTY_AUTH_ERROR')),
    undefined,
    unavailable('third-party-auth', 60_000),
  ],
  ['403', 403, body('PERMISSION_DENIED'), undefined, unavailable('auth', 60_000)],
  [
    "another sender's token",
    403,
    body('PERMISSION_DENIED', fcmError('SENDER_ID_MISMATCH')),
    undefined,
    rejected('sender-mismatch'),
  ],
  ['408', 408, '', undefined, unavailable('provider-error', 10_000)],
  ['413', 413, '', undefined, rejected('too-large')],
  ['418', 418, '', undefined, rejected('unexpected-status')],
  ['429, bare', 429, '', undefined, throttled('project', 60_000)],
  ['429, Retry-After', 429, '', '7', throttled('project', 7_000)],
  [
    '429, Retry-After as a date',
    429,
    '',
    'Tue, 14 Jul 2026 22:30:30 GMT',
    throttled('project', 30_000),
  ],
  ['429, Retry-After is nonsense', 429, '', 'soon', throttled('project', 60_000)],
  ['429, Retry-After is a century', 429, '', '3155760000', throttled('project', 3_600_000)],
  [
    '429, device',
    429,
    body('RESOURCE_EXHAUSTED', fcmError('QUOTA_EXCEEDED'), quotaFailure('device:abc')),
    '5',
    throttled('device', 5_000),
  ],
  [
    '429, project',
    429,
    body('RESOURCE_EXHAUSTED', fcmError('QUOTA_EXCEEDED'), quotaFailure('project:123')),
    undefined,
    throttled('project', 60_000),
  ],
  [
    '429, device and project',
    429,
    body('RESOURCE_EXHAUSTED', quotaFailure('device:abc', 'project:123')),
    undefined,
    throttled('project', 60_000),
  ],
  [
    '429, no violation named',
    429,
    body('RESOURCE_EXHAUSTED', quotaFailure()),
    undefined,
    throttled('project', 60_000),
  ],
  [
    '500',
    500,
    body('INTERNAL', fcmError('INTERNAL')),
    undefined,
    unavailable('provider-error', 10_000),
  ],
  ['502', 502, '', undefined, unavailable('provider-error', 10_000)],
  ['503', 503, body('UNAVAILABLE'), undefined, unavailable('provider-error', 10_000)],
  ['503, short Retry-After', 503, '', '1', unavailable('provider-error', 10_000)],
  ['503, long Retry-After', 503, '', '120', unavailable('provider-error', 120_000)],
  [
    '500 that says UNREGISTERED',
    500,
    body('X', fcmError('UNREGISTERED')),
    undefined,
    unavailable('provider-error', 10_000),
  ],
  ['301', 301, '', undefined, unavailable('unexpected-answer', 60_000)],
  ['204', 204, '', undefined, unavailable('unexpected-answer', 60_000)],
];

describe('FCM answer → outcome', () => {
  test.each(TABLE)('%s (%i)', (_what, status, text, retryAfter, expected) => {
    expect(fcmOutcome(answer(status, text, retryAfter), NOW)).toEqual(expected);
  });

  test('P9: no status is `gone` without UNREGISTERED', () => {
    for (let status = 100; status < 600; status++)
      expect(fcmOutcome(answer(status), NOW).kind).not.toBe('gone');
  });

  test('only a plain 401 means that our access token was refused', () => {
    expect(refusesAccessToken(answer(401))).toBe(true);
    expect(refusesAccessToken(answer(403))).toBe(false);
    const apns = body('UNAUTHENTICATED', fcmError('THIRD_PARTY_AUTH_ERROR'));
    expect(refusesAccessToken(answer(401, apns))).toBe(false);
  });
});
