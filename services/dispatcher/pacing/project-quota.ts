import {
  BURST_SECONDS,
  fullRatePerSecond,
  RAMP_DECAY_SECONDS,
  RAMP_START_SHARE,
  rampShare,
} from '../../../shared/pacing/fcm-quota.ts';
import type { Outcome } from '../transports/transport.ts';
import type { Pace } from './pace.ts';

export interface ProjectQuotaOptions {
  /** Messages a minute for the whole project, all nodes together. */
  readonly quotaPerMinute: number;
  /** From a standing start to the full rate; 0: no ramp. */
  readonly rampSeconds: number;
  /** Nodes that may be sending at this moment, this one among them: each takes its part of the quota. */
  readonly liveNodes: () => number;
}

/** Rates are worked out anew at most this often. */
const STEP_MS = 10;
/** After the project was throttled, back to the full rate in this time. */
const RECOVERY_SECONDS = 120;
const CUT = 0.5;
const LOWEST_FACTOR = 0.05;
/**
 * Peers count a node that has just come up only when they have heard of it. So long it takes what a ramp begins with,
 * and leaves the rest to those who still spend it.
 */
const NEWCOMER_MS = 3_000;

/**
 * This node's part of a project's quota, as a token bucket. Whoever falls silent leaves its part to the others at once;
 * over any 60 s all nodes together stay below the quota, as long as they know of each other within a few seconds. When
 * the project is throttled all the same (429), nothing is sent until its Retry-After is over, and half as fast
 * afterwards, recovering within two minutes. A 429 about one device changes nothing here.
 */
export class ProjectQuota implements Pace {
  readonly #options: ProjectQuotaOptions;
  readonly #fullRate: number;
  readonly #sinceMs: number;
  #tokens = 0;
  /** Of this node, a second. */
  #rate = 0;
  /** From 0 (standing start) to 1. */
  #ramp = 0;
  #factor = 1;
  #stepAtMs: number;
  #pausedUntilMs = 0;
  #cutAtMs = Number.NEGATIVE_INFINITY;

  /** A new bucket is empty: who is restarted again and again must not get a burst each time. */
  constructor(options: ProjectQuotaOptions, nowMs: number) {
    this.#options = options;
    this.#fullRate = fullRatePerSecond(options.quotaPerMinute);
    this.#sinceMs = nowMs;
    this.#stepAtMs = nowMs;
    this.#rate = this.#rateNow(nowMs);
  }

  mayStart(nowMs: number): boolean {
    this.#step(nowMs);
    return nowMs >= this.#pausedUntilMs && this.#tokens >= 1;
  }

  askAgainAtMs(nowMs: number): number {
    this.#step(nowMs);
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs;
    const waitMs = ((1 - this.#tokens) * 1000) / this.#rate;
    return nowMs + Math.max(STEP_MS, Math.min(1_000, waitMs));
  }

  started(nowMs: number): void {
    this.#step(nowMs);
    this.#tokens--;
  }

  ended(outcome: Outcome | undefined, latencyMs: number, nowMs: number): void {
    if (outcome === undefined) this.#tokens++;
    if (outcome?.kind !== 'throttled' || outcome.scope !== 'project') return;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + outcome.retryAfterMs);
    // What had left before the rate was cut says nothing about the new rate.
    if (nowMs - latencyMs < this.#cutAtMs) return;
    this.#factor = Math.max(LOWEST_FACTOR, this.#factor * CUT);
    this.#cutAtMs = nowMs;
    this.#tokens = Math.min(this.#tokens, 0);
  }

  /** Sends a second that this node allows itself now; 0 while it waits out a Retry-After. */
  ratePerSecond(nowMs: number): number {
    this.#step(nowMs);
    return nowMs < this.#pausedUntilMs ? 0 : this.#rate;
  }

  #step(nowMs: number): void {
    const seconds = (nowMs - this.#stepAtMs) / 1000;
    if (seconds * 1000 < STEP_MS) return;
    const isPaused = this.#stepAtMs < this.#pausedUntilMs;
    if (!isPaused) {
      this.#factor = Math.min(1, this.#factor + seconds / RECOVERY_SECONDS);
      this.#tokens += this.#rate * seconds;
    }
    // The part of a burst goes by the nodes that are live, as the rate does.
    const burst = Math.max(1, (this.#fullRate * BURST_SECONDS) / this.#live());
    this.#moveRamp(seconds, this.#tokens < burst / 2);
    this.#rate = this.#rateNow(nowMs);
    this.#tokens = Math.min(this.#tokens, burst);
    this.#stepAtMs = nowMs;
  }

  /** Up while the rate is used to the full, which empties the bucket; a canary's trickle is no ramp. */
  #moveRamp(seconds: number, isUsed: boolean): void {
    const { rampSeconds } = this.#options;
    if (rampSeconds === 0) this.#ramp = 1;
    else if (isUsed) this.#ramp = Math.min(1, this.#ramp + seconds / rampSeconds);
    else this.#ramp = Math.max(0, this.#ramp - seconds / RAMP_DECAY_SECONDS);
  }

  #rateNow(nowMs: number): number {
    const live = this.#live();
    const isNewcomer = live > 1 && nowMs - this.#sinceMs < NEWCOMER_MS;
    const share = isNewcomer ? RAMP_START_SHARE : rampShare(this.#ramp);
    return (this.#fullRate / live) * share * this.#factor;
  }

  #live(): number {
    return Math.max(1, this.#options.liveNodes());
  }
}
