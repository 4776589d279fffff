import { z } from 'zod';

/** Time buckets: up to 50 ms, then each 12 % wider than the one before it, the last one for all above 55 minutes. */
const BUCKETS = 100;
const FIRST_MS = 50;
const LOG_FACTOR = Math.log(1.12);

const Ms = z.int().nonnegative();

/**
 * When a provider accepted the sends of one alert, counted from the instant when ingest signed it (`issuedAt`): the first
 * and the last exactly, the others as a histogram of fixed buckets, so that parts from different nodes add up. Under a
 * kilobyte for any number of devices, and no device has a time of its own in it.
 */
export const AcceptTiming = z.strictObject({
  firstMs: Ms,
  lastMs: Ms,
  /** Number of the bucket that `counts` begins with. */
  from: z
    .int()
    .min(0)
    .max(BUCKETS - 1),
  counts: z.array(z.int().nonnegative()).min(1).max(BUCKETS),
});
export type AcceptTiming = z.infer<typeof AcceptTiming>;

function bucketOf(ms: number): number {
  if (ms < FIRST_MS) return 0;
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log(ms / FIRST_MS) / LOG_FACTOR));
}

/** Where a bucket begins (ms). */
function boundOf(bucket: number): number {
  return bucket === 0 ? 0 : FIRST_MS * Math.exp((bucket - 1) * LOG_FACTOR);
}

/** Collects times, or what others have collected. */
export class TimingTally {
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;
  #from = 0;
  #counts: number[] = [];

  /** Clocks of nodes differ: what seems to come before its own start counts as 0. */
  add(ms: number): void {
    const known = Math.max(0, Math.round(ms));
    this.#span(known, known);
    this.#count(bucketOf(known), 1);
  }

  merge(timing: AcceptTiming): void {
    this.#span(timing.firstMs, timing.lastMs);
    for (const [index, count] of timing.counts.entries())
      if (count > 0) this.#count(Math.min(BUCKETS - 1, timing.from + index), count);
  }

  /** Undefined while there is nothing. */
  get timing(): AcceptTiming | undefined {
    if (this.#counts.length === 0) return undefined;
    return {
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      from: this.#from,
      counts: [...this.#counts],
    };
  }

  #span(firstMs: number, lastMs: number): void {
    if (firstMs < this.#firstMs) this.#firstMs = firstMs;
    if (lastMs > this.#lastMs) this.#lastMs = lastMs;
  }

  /** Grows by the buckets that are met: a shard's sends meet few. */
  #count(bucket: number, count: number): void {
    if (this.#counts.length === 0) this.#from = bucket;
    for (; this.#from > bucket; this.#from--) this.#counts.unshift(0);
    const index = bucket - this.#from;
    while (this.#counts.length <= index) this.#counts.push(0);
    this.#counts[index] = (this.#counts[index] ?? 0) + count;
  }
}

export function mergeTimings(timings: Iterable<AcceptTiming>): AcceptTiming | undefined {
  const tally = new TimingTally();
  for (const timing of timings) tally.merge(timing);
  return tally.timing;
}

/** How many acceptances it counts. */
export function timingCount(timing: AcceptTiming): number {
  return timing.counts.reduce((sum, count) => sum + count, 0);
}

/**
 * The time (ms) by which this part (0 to 1) of the acceptances had come, within 12 %: inside a bucket they are taken to
 * be spread evenly.
 */
export function timingPercentile(timing: AcceptTiming, part: number): number {
  const rank = part * timingCount(timing);
  let before = 0;
  for (const [index, count] of timing.counts.entries()) {
    if (before + count >= rank && count > 0) {
      const bucket = timing.from + index;
      const fromMs = Math.max(timing.firstMs, boundOf(bucket));
      const toMs = bucket === BUCKETS - 1 ? timing.lastMs : boundOf(bucket + 1);
      const within = fromMs + ((Math.min(toMs, timing.lastMs) - fromMs) * (rank - before)) / count;
      return Math.min(timing.lastMs, Math.max(timing.firstMs, within));
    }
    before += count;
  }
  return timing.lastMs;
}
