import type { Outcome } from '../transports/transport.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import type { Pace, PacedSend } from './pace.ts';

export interface OriginLimitOptions {
  /** The most sends that may be in flight to one origin. */
  readonly most: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** In flight to an origin that nothing is known of. */
const START = 32;
/** Once cut, the limit grows by this part of the most in each round trip. */
const GROWTH_SHARE = 1 / 64;
const CUT = 0.5;
/** Answers that throttle in a row: the origin is meant, not one device of its. */
const THROTTLED_IN_A_ROW = 5;
/** Latency that says "too much": several times the least, and by more than what one reply more or less makes. */
const SLOW_FACTOR = 4;
const SLOW_BEYOND_MS = 200;
/** Weight of one answer in the smoothed latency. */
const SMOOTHING = 1 / 16;
/** The least latency is that of this time and the one before it: a way that has become longer is not slow for ever. */
const FLOOR_AGE_MS = 10_000;
/**
 * Slowness is a hint where a 429 is a word: alone it never cuts further than to this part of the most. A service that
 * everybody uses at the same minute may well be slow and take what it is given.
 */
const LEAST_BY_LATENCY_SHARE = 1 / 8;

/**
 * Sends in flight to one push service, found out as it answers, since none of them publishes a limit: twice as many
 * each round trip until the first sign of too much, then up by steps and down by half. Signs are 429 (and Windows' 406)
 * and a latency far above its floor. Five throttling answers in a row mean the origin, which is then left alone for the
 * shortest Retry-After among them; fewer mean devices, and those wait by themselves. Never below one in flight.
 */
export class OriginLimit implements Pace {
  readonly #options: OriginLimitOptions;
  readonly #breaker: Breaker;
  #limit: number;
  #inFlight = 0;
  #fullAtMs = Number.NEGATIVE_INFINITY;
  #hasBeenCut = false;
  #cutAtMs = Number.NEGATIVE_INFINITY;
  #pausedUntilMs = 0;
  #throttledInARow = 0;
  #shortestRetryAfterMs = Number.POSITIVE_INFINITY;
  #latencyMs = 0;
  #floorMs = Number.POSITIVE_INFINITY;
  #floorBeforeMs = Number.POSITIVE_INFINITY;
  #floorSinceMs = 0;

  constructor(options: OriginLimitOptions) {
    this.#options = options;
    this.#breaker = new Breaker(options.random);
    this.#limit = Math.min(START, options.most);
  }

  /** Sends that may be in flight now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  isPaused(nowMs: number): boolean {
    return nowMs < this.#pausedUntilMs;
  }

  mayStart(nowMs: number, send: PacedSend): boolean {
    return (
      nowMs >= this.#pausedUntilMs &&
      this.#inFlight < this.limit &&
      this.#breaker.mayStart(nowMs, send)
    );
  }

  askAgainAtMs(nowMs: number): number {
    // A place becomes free when a send ends, and whoever waits for one is told by that end.
    return Math.max(nowMs + 10, this.#pausedUntilMs, this.#breaker.askAgainAtMs(nowMs));
  }

  started(nowMs: number): void {
    this.#inFlight++;
    if (this.#inFlight >= this.limit) this.#fullAtMs = nowMs;
    this.#breaker.started();
  }

  ended(outcome: Outcome | undefined, latencyMs: number, nowMs: number): void {
    this.#inFlight--;
    this.#breaker.ended(outcome, latencyMs, nowMs);
    if (outcome === undefined) return;
    if (outcome.kind === 'throttled') {
      this.#throttled(outcome.retryAfterMs, latencyMs, nowMs);
      return;
    }
    // Whatever did not come from the provider (our time-out, our abort) says nothing of its latency.
    if (outcome.kind === 'unavailable') return;
    this.#throttledInARow = 0;
    this.#shortestRetryAfterMs = Number.POSITIVE_INFINITY;
    this.#noteLatency(latencyMs, nowMs);
    if (this.#isSlow())
      this.#cut(latencyMs, nowMs, Math.max(1, this.#options.most * LEAST_BY_LATENCY_SHARE));
    else this.#grow(nowMs - latencyMs);
  }

  #throttled(retryAfterMs: number, latencyMs: number, nowMs: number): void {
    this.#throttledInARow++;
    this.#shortestRetryAfterMs = Math.min(this.#shortestRetryAfterMs, retryAfterMs);
    if (this.#throttledInARow >= THROTTLED_IN_A_ROW)
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + this.#shortestRetryAfterMs);
    this.#cut(latencyMs, nowMs, 1);
  }

  /** Once for what was in flight together: sends that left before a cut say nothing about the limit after it. */
  #cut(latencyMs: number, nowMs: number, least: number): void {
    if (nowMs - latencyMs < this.#cutAtMs || this.#limit <= least) return;
    this.#limit = Math.max(least, this.#limit * CUT);
    this.#hasBeenCut = true;
    this.#cutAtMs = nowMs;
  }

  /** Called for each answer: a round trip is as many answers as the limit. A limit that nobody reached stays. */
  #grow(leftAtMs: number): void {
    if (leftAtMs < this.#cutAtMs || leftAtMs > this.#fullAtMs) return;
    const perRound = this.#hasBeenCut
      ? Math.max(1, this.#options.most * GROWTH_SHARE)
      : this.#limit;
    this.#limit = Math.min(this.#options.most, this.#limit + perRound / this.#limit);
  }

  #noteLatency(latencyMs: number, nowMs: number): void {
    this.#latencyMs += (latencyMs - this.#latencyMs) * SMOOTHING;
    if (nowMs - this.#floorSinceMs >= FLOOR_AGE_MS) {
      this.#floorBeforeMs = this.#floorMs;
      this.#floorMs = latencyMs;
      this.#floorSinceMs = nowMs;
    }
    this.#floorMs = Math.min(this.#floorMs, latencyMs);
  }

  #isSlow(): boolean {
    const floorMs = Math.min(this.#floorMs, this.#floorBeforeMs);
    return this.#latencyMs > Math.max(floorMs * SLOW_FACTOR, floorMs + SLOW_BEYOND_MS);
  }
}
