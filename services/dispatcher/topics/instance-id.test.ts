import { expect, test } from '@jest/globals';
import type { Answer } from '../transports/outcome.ts';
import { type BatchResult, batchResult } from './instance-id.ts';

const answer = (status: number, body: unknown, retryAfter?: string): Answer => ({
  kind: 'answer',
  status,
  retryAfter,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const later = (retryAfterMs: number): BatchResult => ({ kind: 'later', retryAfterMs });

test.each<[string, Answer | undefined, BatchResult]>([
  [
    'a result for each token',
    answer(200, { results: [{}, { error: 'NOT_FOUND' }, { error: 'INTERNAL' }] }),
    { kind: 'answered', results: ['done', 'refused', 'failed'] },
  ],
  [
    'final words',
    answer(200, {
      results: [
        { error: 'INVALID_ARGUMENT' },
        { error: 'PERMISSION_DENIED' },
        { error: 'TOO_MANY_TOPICS' },
      ],
    }),
    { kind: 'answered', results: ['refused', 'refused', 'refused'] },
  ],
  ['fewer results than tokens', answer(200, { results: [{}] }), later(10_000)],
  ['no JSON', answer(200, '<html>'), later(10_000)],
  ['no answer', undefined, later(1_000)],
  ['a wrong request', answer(400, { error: 'InvalidArgument' }), { kind: 'refused' }],
  ['a refused credential', answer(401, {}), later(60_000)],
  ['a project that may not', answer(403, {}), later(60_000)],
  ['a service that is not there', answer(404, ''), later(60_000)],
  ['429 without a time', answer(429, {}), later(60_000)],
  ['429 with a longer one', answer(429, {}, '120'), later(120_000)],
  ['503 with a short one', answer(503, {}, '1'), later(10_000)],
])('%s', (_what, given, expected) => {
  expect(batchResult(given, 3, 0)).toEqual(expected);
});
