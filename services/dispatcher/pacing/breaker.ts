import { backoffMs } from '../../../shared/time/backoff.ts';
import type { UNAVAILABLE_REASONS } from '../transports/outcome.ts';
import type { Outcome } from '../transports/transport.ts';
import type { Pace, PacedSend } from './pace.ts';

/** `closed`: sends go; `open`: none goes but a test; `half-open`: the one send is out that decides. */
export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

type UnavailableReason = (typeof UNAVAILABLE_REASONS)[number];
/** What a provider that is down looks like. Our own credentials, configuration and bounds are no reason to stop. */
const DOWN: ReadonlySet<string> = new Set<UnavailableReason>([
  'connection',
  'provider-error',
  'timeout',
]);

/** So many failures without a single answer in between, over at least this time. */
const FAILURES = 20;
const OVER_MS = 3_000;
/** When to try again with one send; short, because an alert waits behind it. */
const PROBE_AFTER = { firstMs: 1_000, maxMs: 15_000 };

/**
 * Holds sends back while a provider is down as a whole: connections that fail, 5xx, time-outs, in a row and over a
 * time. Any answer that a working provider gives, a refusal or a 429 among them, closes it. When it is open, one send
 * at a time may try: a canary's at any moment, any other when its time has come.
 */
export class Breaker implements Pace {
  readonly #random: () => number;
  #failures = 0;
  #failingSinceMs = 0;
  #isOpen = false;
  #opened = 0;
  #probeAtMs = 0;
  #probes = 0;

  /** `random` is in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  get state(): BreakerState {
    if (!this.#isOpen) return 'closed';
    return this.#probes > 0 ? 'half-open' : 'open';
  }

  mayStart(nowMs: number, send: PacedSend): boolean {
    if (!this.#isOpen) return true;
    return this.#probes === 0 && (send === 'test' || nowMs >= this.#probeAtMs);
  }

  askAgainAtMs(nowMs: number): number {
    // While the probe is out, its end is what decides; a send is answered within its deadline.
    return this.#isOpen ? Math.max(nowMs + 100, this.#probeAtMs) : nowMs + 1;
  }

  started(): void {
    if (this.#isOpen) this.#probes++;
  }

  ended(outcome: Outcome | undefined, latencyMs: number, nowMs: number): void {
    // One that left before it opened may end meanwhile and pass for the probe: that costs a probe more, no more.
    const isProbe = this.#probes > 0;
    if (isProbe) this.#probes--;
    if (outcome === undefined) return;
    if (outcome.kind !== 'unavailable') this.#close();
    else if (DOWN.has(outcome.reason)) this.#failed(isProbe, latencyMs, nowMs);
  }

  #close(): void {
    this.#failures = 0;
    this.#isOpen = false;
    this.#opened = 0;
    this.#probes = 0;
  }

  #failed(isProbe: boolean, latencyMs: number, nowMs: number): void {
    if (this.#isOpen) {
      if (isProbe) this.#open(nowMs);
      return;
    }
    // Silence counts from when it began: a provider that hangs is known after one time-out.
    if (this.#failures === 0) this.#failingSinceMs = nowMs - latencyMs;
    this.#failures++;
    if (this.#failures >= FAILURES && nowMs - this.#failingSinceMs >= OVER_MS) this.#open(nowMs);
  }

  #open(nowMs: number): void {
    this.#isOpen = true;
    this.#opened++;
    this.#probeAtMs = nowMs + backoffMs(this.#opened, PROBE_AFTER, this.#random());
  }
}
