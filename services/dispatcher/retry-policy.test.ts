import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextAttempt, retryAtMs } from './retry-policy.ts';
import type { Outcome } from './transports/transport.ts';

const at = { nowMs: 1_000_000, expiresAtMs: 2_000_000, random: 0 };
const unavailable = (retryAfterMs: number): Outcome => ({
  kind: 'unavailable',
  reason: 'timeout',
  retryAfterMs,
});

test.each<[Outcome]>([
  [{ kind: 'accepted' }],
  [{ kind: 'gone' }],
  [{ kind: 'rejected', reason: 'too-large' }],
])('%j is final: never tried again', (outcome) => {
  expect(retryAtMs(outcome, 1, at)).toBeUndefined();
});

test.each<[string, Outcome, number, number]>([
  ['our own backoff where the provider asks for nothing', unavailable(0), 1, 1_000],
  ['twice as long each time', unavailable(0), 3, 4_000],
  ['a minute at most', unavailable(0), 30, 30_000],
  ['what the provider asks for when that is longer', unavailable(9_000), 1, 9_000],
  [
    'our backoff when that is longer',
    { kind: 'throttled', scope: 'project', retryAfterMs: 100 },
    2,
    2_000,
  ],
])('waits %s', (_title, outcome, attempt, waitMs) => {
  expect(retryAtMs(outcome, attempt, at)).toBe(1_000_000 + waitMs);
});

test('a send that pacing held back until an end that it knows was no try; every other one was', () => {
  const heldBack = { kind: 'unavailable', reason: 'overloaded', retryAfterMs: 12_000 } as const;
  expect(nextAttempt(heldBack, 3)).toBe(3);
  expect(nextAttempt({ ...heldBack, retryAfterMs: 1_000 }, 3)).toBe(4);
  expect(nextAttempt({ ...heldBack, reason: 'provider-error' }, 3)).toBe(4);
  expect(nextAttempt({ kind: 'throttled', scope: 'device', retryAfterMs: 12_000 }, 3)).toBe(4);
});

test('P3: no try at or after the expiry', () => {
  expect(retryAtMs(unavailable(5_000), 1, { ...at, expiresAtMs: 1_005_000 })).toBeUndefined();
  expect(retryAtMs(unavailable(5_000), 1, { ...at, expiresAtMs: 1_005_001 })).toBe(1_005_000);
});

test('never before the provider’s time, never past expiry, whole milliseconds', () => {
  fc.assert(
    fc.property(
      fc.nat(4_000_000),
      fc.integer({ min: 1, max: 500 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (retryAfterMs, attempt, random) => {
        const dueMs = retryAtMs(unavailable(retryAfterMs), attempt, { ...at, random });
        if (dueMs === undefined) return;
        expect(Number.isInteger(dueMs)).toBe(true);
        expect(dueMs).toBeGreaterThanOrEqual(at.nowMs + Math.max(retryAfterMs, 1_000));
        expect(dueMs).toBeLessThanOrEqual(at.expiresAtMs);
      },
    ),
  );
});
