import { backoffMs } from '../../shared/time/backoff.ts';
import { CONNECTION_RETRY_MS } from './transports/outcome.ts';
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

/**
 * Which try the next one is. A send that our own pacing turned away until an end that it knows (a pause that the origin
 * asked for, an open breaker's next probe) was no try: nothing was sent, and were it counted, the pauses would have grown
 * far beyond that end. A send that found all places taken counts: there the pauses are what spreads the load.
 */
export function nextAttempt(outcome: Outcome, attempt: number): number {
  const isHeldBack =
    outcome.kind === 'unavailable' &&
    outcome.reason === 'overloaded' &&
    outcome.retryAfterMs > CONNECTION_RETRY_MS;
  return isHeldBack ? attempt : attempt + 1;
}
