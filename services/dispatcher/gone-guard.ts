import type { TransportKind } from '../../shared/envelope/envelope.ts';

/** Above these, "gone" is taken for a provider's mistake or attack, not for the truth (P9). */
const BATCH_SHARE = 0.2;
const BATCH_MIN = 20;
const HOURLY_SHARE = 0.005;
/** Small registries lose some devices in an hour without anything being wrong. */
const HOURLY_MIN = 50;
const HOUR_MS = 3600 * 1000;
/** Shards of a small audience are too small to be judged one by one: those of one minute are judged together. */
const TOGETHER_MS = 60_000;
/** A small batch most of which is gone is a storm before any other has come. */
const SMALL_MIN = 5;
const SMALL_SHARE = 0.5;

interface Batch {
  readonly transport: TransportKind;
  readonly gone: number;
  readonly sent: number;
}

/**
 * Whether the devices that a provider called gone in one batch may be removed: not when more than a fifth of the batch
 * is, or of the last minute's batches with it, nor when more than 0.5 % of the registry went within an hour. What may not
 * be removed is quarantined for a human.
 */
export class GoneGuard {
  #removals: { atMs: number; count: number }[] = [];
  /** Sums by second, so that many small batches do not make many entries. */
  #recent: { readonly transport: TransportKind; atMs: number; gone: number; sent: number }[] = [];

  mayRemove(batch: Batch, registrySize: number, nowMs: number): boolean {
    if (batch.gone === 0) return true;
    this.#removals = this.#removals.filter(({ atMs }) => nowMs - atMs < HOUR_MS);
    const ofTransport = this.#lastMinute(batch, nowMs);
    const lastHour = this.#removals.reduce((sum, { count }) => sum + count, 0);
    const stormInHour = lastHour + batch.gone > Math.max(HOURLY_MIN, registrySize * HOURLY_SHARE);
    if (isStorm([batch]) || isStorm(ofTransport) || stormInHour) return false;
    this.#removals.push({ atMs: nowMs, count: batch.gone });
    return true;
  }

  /** What came of this transport within a minute, this batch with it. */
  #lastMinute(batch: Batch, nowMs: number): readonly Batch[] {
    this.#recent = this.#recent.filter(({ atMs }) => nowMs - atMs < TOGETHER_MS);
    const { transport, gone, sent } = batch;
    const sum = this.#recent.find(
      (each) => each.transport === transport && nowMs - each.atMs < 1_000,
    );
    if (sum) {
      sum.gone += gone;
      sum.sent += sent;
    } else this.#recent.push({ transport, atMs: nowMs, gone, sent });
    return this.#recent.filter((each) => each.transport === transport);
  }
}

function isStorm(batches: readonly Batch[]): boolean {
  const gone = batches.reduce((sum, batch) => sum + batch.gone, 0);
  const sent = batches.reduce((sum, batch) => sum + batch.sent, 0);
  if (sent >= BATCH_MIN) return gone > sent * BATCH_SHARE;
  return gone >= SMALL_MIN && gone > sent * SMALL_SHARE;
}
