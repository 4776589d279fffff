import type { Outcome } from '../transports/transport.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import type { Pace, PacedSend } from './pace.ts';
import { ProjectQuota, type ProjectQuotaOptions } from './project-quota.ts';

export interface FcmPaceOptions extends ProjectQuotaOptions {
  /** In [0, 1). */
  readonly random: () => number;
}

/** One Firebase project: its quota and whether it is up. */
export class FcmPace implements Pace {
  readonly #quota: ProjectQuota;
  readonly #breaker: Breaker;

  constructor(options: FcmPaceOptions, nowMs: number) {
    this.#quota = new ProjectQuota(options, nowMs);
    this.#breaker = new Breaker(options.random);
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  ratePerSecond(nowMs: number): number {
    return this.#quota.ratePerSecond(nowMs);
  }

  mayStart(nowMs: number, send: PacedSend): boolean {
    return this.#quota.mayStart(nowMs) && this.#breaker.mayStart(nowMs, send);
  }

  askAgainAtMs(nowMs: number): number {
    return Math.max(this.#quota.askAgainAtMs(nowMs), this.#breaker.askAgainAtMs(nowMs));
  }

  started(nowMs: number): void {
    this.#quota.started(nowMs);
    this.#breaker.started();
  }

  ended(outcome: Outcome | undefined, latencyMs: number, nowMs: number): void {
    this.#quota.ended(outcome, latencyMs, nowMs);
    this.#breaker.ended(outcome, latencyMs, nowMs);
  }
}
