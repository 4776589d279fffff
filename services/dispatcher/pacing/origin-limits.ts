import type { BreakerState } from './breaker.ts';
import { OriginLimit, type OriginLimitOptions } from './origin-limit.ts';

/** Push services are few; self-hosted ones and those with a host for each node make it some dozens. */
const MAX_ORIGINS = 500;
/** Looked at for one that is idle when there are too many. */
const LOOK_AT = 8;

/**
 * The limit of each push service's origin. When there are too many of them, the one that was asked for longest ago is
 * forgotten; while all the old ones have sends in flight, newcomers share one limit.
 */
export class OriginLimits {
  readonly #options: OriginLimitOptions;
  readonly #limits = new Map<string, OriginLimit>();
  readonly #shared: OriginLimit;

  constructor(options: OriginLimitOptions) {
    this.#options = options;
    this.#shared = new OriginLimit(options);
  }

  /** Hold on to it from `started` to `ended`. */
  of(origin: string): OriginLimit {
    const known = this.#limits.get(origin);
    if (known) return known;
    if (this.#limits.size >= MAX_ORIGINS && !this.#forgetOne()) return this.#shared;
    const limit = new OriginLimit(this.#options);
    this.#limits.set(origin, limit);
    return limit;
  }

  get size(): number {
    return this.#limits.size;
  }

  /** How many origins there are in each state, for the metrics: no origin is named there. */
  figures(nowMs: number): {
    readonly breakers: Readonly<Record<BreakerState, number>>;
    readonly paused: number;
    readonly inFlightLimit: number;
  } {
    const breakers: Record<BreakerState, number> = { closed: 0, open: 0, 'half-open': 0 };
    let paused = 0;
    let inFlightLimit = 0;
    for (const limit of this.#limits.values()) {
      breakers[limit.breakerState]++;
      if (limit.isPaused(nowMs)) paused++;
      inFlightLimit += limit.limit;
    }
    return { breakers, paused, inFlightLimit };
  }

  /** Those that are busy go to the end of the line, so that the next look finds others. */
  #forgetOne(): boolean {
    for (let looked = 0; looked < LOOK_AT; looked++) {
      const [oldest] = this.#limits;
      if (!oldest) return false;
      const [origin, limit] = oldest;
      this.#limits.delete(origin);
      if (limit.inFlight === 0) return true;
      this.#limits.set(origin, limit);
    }
    return false;
  }
}
