import { backoffMs } from '../../shared/time/backoff.ts';
import type { Outcome } from './transports/transport.ts';

/** Providers ask for exponential delays; the alert's expiry ends the tries. */
const BACKOFF = { firstMs: 2_000, maxMs: 60_000 };

/**
 * When to try a device again: the later of our own backoff and what the provider asked for, or undefined when the
 * outcome is final or the alert would be over by then (P3). `random` is in [0, 1).
 */
export function retryAtMs(
  outcome: Outcome,
  attempt: number,
  at: { nowMs: number; expiresAtMs: number; random: number },
): number | undefined {
  if (outcome.kind !== 'throttled' && outcome.kind !== 'unavailable') return undefined;
  const floorMs = outcome.retryAfterMs * (1 + at.random * 0.1);
  const dueMs = at.nowMs + Math.max(floorMs, backoffMs(attempt, BACKOFF, at.random));
  return dueMs < at.expiresAtMs ? Math.round(dueMs) : undefined;
}
