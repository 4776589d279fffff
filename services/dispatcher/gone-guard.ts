/** Above these, "gone" is taken for a provider's mistake or attack, not for the truth (P9). */
const BATCH_SHARE = 0.2;
const BATCH_MIN = 20;
const HOURLY_SHARE = 0.005;
/** Small registries lose some devices in an hour without anything being wrong. */
const HOURLY_MIN = 50;
const HOUR_MS = 3600 * 1000;

interface Batch {
  readonly gone: number;
  readonly sent: number;
}

/**
 * Whether the devices that a provider called gone in one batch may be removed: not when more than a fifth of the batch
 * is, nor when more than 0.5 % of the registry went within an hour. What may not be removed is quarantined for a human.
 */
export class GoneGuard {
  #removals: { atMs: number; count: number }[] = [];

  mayRemove(batch: Batch, registrySize: number, nowMs: number): boolean {
    if (batch.gone === 0) return true;
    this.#removals = this.#removals.filter(({ atMs }) => nowMs - atMs < HOUR_MS);
    const lastHour = this.#removals.reduce((sum, { count }) => sum + count, 0);
    const stormInBatch = batch.sent >= BATCH_MIN && batch.gone > batch.sent * BATCH_SHARE;
    const stormInHour = lastHour + batch.gone > Math.max(HOURLY_MIN, registrySize * HOURLY_SHARE);
    if (stormInBatch || stormInHour) return false;
    this.#removals.push({ atMs: nowMs, count: batch.gone });
    return true;
  }
}
