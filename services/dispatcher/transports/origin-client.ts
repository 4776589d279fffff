import { backoffMs } from '../../../shared/time/backoff.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { oncePerTurn } from '../../../shared/time/once-per-turn.ts';
import type { Pace, PacedSend } from '../pacing/pace.ts';
import type { Exchange, ExchangeFailure } from './exchange.ts';
import { type OpenCall, OpenCalls } from './open-calls.ts';
import { outcomeOfFailure, unavailable } from './outcome.ts';
import type { Post, PostClient } from './post-client.ts';
import type { ProbeResult } from './probe-protocol.ts';
import type { Outcome } from './transport.ts';
import { WaitingLine } from './waiting-line.ts';

export type Protocol = 'h2' | 'http/1.1';

export interface OriginClientOptions {
  /** The most requests that may wait for a place on the wire while other origins are busy too; more are `overloaded`. */
  readonly maxWaiting: number;
  /** The same while nobody else wants the places. */
  readonly maxWaitingAlone: number;
  readonly deadlineMs: number;
  /** Without an answer for this long, while some are awaited, an origin hangs: what waits fails, and so does what comes. */
  readonly stalledAfterMs: number;
  /** HTTP/1.1 is believed for this long; then the origin is asked again. */
  readonly rememberMs: number;
  readonly retry: { readonly firstMs: number; readonly maxMs: number };
}

export const ORIGIN_CLIENT_DEFAULTS = {
  maxWaiting: 4_000,
  maxWaitingAlone: 8_000,
  deadlineMs: 9_000,
  stalledAfterMs: 2_000,
  rememberMs: 3_600_000,
  retry: { firstMs: 500, maxMs: 30_000 },
} as const satisfies OriginClientOptions;

export interface OriginClientDeps {
  readonly probe: () => Promise<ProbeResult>;
  readonly open: (protocol: Protocol) => PostClient;
  /** What the origin bears, found out as it answers. */
  readonly pace: Pace;
  readonly outcomeOf: (exchange: Exchange, nowMs: number) => Outcome;
  readonly onRefused: (detail: string) => void;
  /** No other origin has requests open. */
  readonly isAlone: () => boolean;
  /** In [0, 1). */
  readonly random: () => number;
  readonly now: Clock;
}

/** A client takes so many even before it says that a connection is open, and a hanging origin to show that it is back. */
const FEW = 16;
/** What an origin will not take for so long is tried again later rather than kept waiting. */
const LONG_WAIT_MS = 1_000;

type Settle = (outcome: Outcome) => void;

interface Waiting {
  readonly post: Post;
  readonly kind: PacedSend;
  readonly call: OpenCall<Outcome>;
}

/**
 * One push service: HTTP/2 if it has it, else HTTP/1.1. It puts on the wire what the open connections carry and the
 * service bears, and lets the rest wait, in a bounded line and never beyond the deadline; an origin that hangs gives its
 * line back at once, so that it does not hold the places of others.
 */
export class OriginClient {
  readonly #options: OriginClientOptions;
  readonly #deps: OriginClientDeps;
  readonly #calls: OpenCalls<Outcome>;
  readonly #line = new WaitingLine<Waiting>();
  readonly #firstReady = Promise.withResolvers<void>();
  readonly #monotonic = oncePerTurn(() => performance.now());
  #waiting = 0;
  #onWire = 0;
  #client: PostClient | undefined;
  #protocol: Protocol | undefined;
  #probing = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  #paceTimer: NodeJS.Timeout | undefined;
  #answeredAtMs = 0;
  #stalled = false;
  #pumping = false;
  #closed = false;

  constructor(options: OriginClientOptions, deps: OriginClientDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#calls = new OpenCalls({
      deadlineMs: options.deadlineMs,
      onDeadline: outcomeOfFailure('timeout'),
      onAbort: outcomeOfFailure('aborted'),
    });
    this.#probe();
  }

  get protocol(): Protocol | undefined {
    return this.#protocol;
  }

  get capacity(): number {
    return this.#client?.capacity ?? 0;
  }

  /** Resolves when a connection is open for the first time, or when the client is closed. Never rejects. */
  get ready(): Promise<void> {
    return this.#firstReady.promise;
  }

  /** Requests that have not ended. */
  get open(): number {
    return this.#onWire + this.#waiting;
  }

  /** Why a request would be refused now. Asked before a message is sealed, so that no prepared key is lost on it. */
  refusal(
    signal: AbortSignal,
    kind: PacedSend,
    nowMs: number = this.#deps.now(),
  ): ExchangeFailure | undefined {
    if (this.#closed) return 'closed';
    if (signal.aborted) return 'aborted';
    if (this.#client === undefined && this.#failures > 0) return 'connection';
    if (this.#stalled && this.#onWire >= FEW) return 'overloaded';
    if (this.#mustWaitLong(kind, nowMs)) return 'overloaded';
    const { maxWaiting, maxWaitingAlone } = this.#options;
    if (this.#waiting < maxWaiting) return undefined;
    return this.#waiting < maxWaitingAlone && this.#deps.isAlone() ? undefined : 'overloaded';
  }

  /** What a request comes to that `refusal` turned away. */
  outcomeOfRefusal(refusal: ExchangeFailure): Outcome {
    return refusal === 'overloaded' ? this.#overloaded() : outcomeOfFailure(refusal);
  }

  /** The caller has asked `refusal`. `settle` is called once, by the deadline, possibly before this returns. */
  send(post: Post, kind: PacedSend, settle: Settle): void {
    // A test goes where others are held: it is what shows that the origin is back.
    if ((this.#waiting === 0 || kind === 'test') && this.#hasRoom) {
      const nowMs = this.#deps.now();
      if (this.#deps.pace.mayStart(nowMs, kind)) {
        this.#put(post, settle, nowMs);
        return;
      }
    }
    const call = this.#calls.begin(post.signal, settle);
    this.#waiting++;
    call.onEnd = () => this.#waiting--;
    this.#line.add({ post, kind, call });
    if (this.#waiting === 1) this.#pump(this.#deps.now());
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#stallTimer);
    clearTimeout(this.#paceTimer);
    this.#calls.settleAll(outcomeOfFailure('closed'));
    this.#firstReady.resolve();
    await this.#client?.close();
  }

  #mustWaitLong(kind: PacedSend, nowMs: number): boolean {
    const { pace } = this.#deps;
    return !pace.mayStart(nowMs, kind) && pace.askAgainAtMs(nowMs) > nowMs + LONG_WAIT_MS;
  }

  /** As many as the connections carry, and a few while none is open: the client opens them for these. */
  get #hasRoom(): boolean {
    if (this.#client === undefined) return false;
    return this.#onWire < FEW || (!this.#stalled && this.#onWire < this.#client.capacity);
  }

  #put(post: Post, settle: Settle, startedAtMs: number): void {
    const { pace, outcomeOf, now } = this.#deps;
    if (this.#onWire === 0) this.#answeredAtMs = this.#monotonic();
    this.#onWire++;
    pace.started(startedAtMs);
    this.#watchForStall();
    this.#client?.post(post, (exchange) => {
      const endedAtMs = now();
      const outcome = outcomeOf(exchange, endedAtMs);
      this.#onWire--;
      pace.ended(outcome, endedAtMs - startedAtMs, endedAtMs);
      this.#note(exchange);
      settle(outcome);
      if (this.#waiting > 0) this.#pump(endedAtMs);
    });
  }

  /** A client that refuses at once would otherwise call it from within itself, once for each that waits. */
  #pump(nowMs: number): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#pumpAll(nowMs);
    this.#pumping = false;
  }

  #pumpAll(nowMs: number): void {
    const { pace } = this.#deps;
    for (let next = this.#line.first(); next !== undefined; next = this.#line.first()) {
      if (!this.#hasRoom || !pace.mayStart(nowMs, next.kind)) {
        this.#pumpLater(nowMs);
        return;
      }
      this.#line.take();
      this.#waiting--;
      const { post, call } = next;
      call.onEnd = undefined;
      this.#put(post, (outcome) => call.settle(outcome), nowMs);
    }
  }

  /** With something on the wire its end is what gives a place; a pause of the origin's ends by itself. */
  #pumpLater(nowMs: number): void {
    const waitMs = this.#deps.pace.askAgainAtMs(nowMs) - nowMs;
    if (waitMs > LONG_WAIT_MS) this.#failLine(this.#overloaded());
    else this.#paceTimer ??= setTimeout(() => this.#onPaceTimer(), Math.max(10, waitMs)).unref();
  }

  #onPaceTimer(): void {
    this.#paceTimer = undefined;
    if (!this.#closed) this.#pump(this.#deps.now());
  }

  #note(exchange: Exchange): void {
    if (exchange.kind === 'answer') {
      this.#answeredAtMs = this.#monotonic();
      this.#stalled = false;
      return;
    }
    // Perhaps it has no HTTP/2 any more: its connections say only that they fail.
    if (exchange.reason === 'connection' && this.capacity === 0) this.#probeSoon();
  }

  /** One timer while something is on the wire, not one per request. */
  #watchForStall(): void {
    if (this.#stallTimer !== undefined || this.#closed) return;
    const { stalledAfterMs } = this.#options;
    const dueMs = this.#answeredAtMs + stalledAfterMs - performance.now();
    this.#stallTimer = setTimeout(
      () => {
        this.#stallTimer = undefined;
        if (this.#onWire === 0) return;
        if (performance.now() - this.#answeredAtMs >= stalledAfterMs) this.#stall();
        this.#watchForStall();
      },
      dueMs > 0 ? dueMs : stalledAfterMs,
    );
    this.#stallTimer.unref();
  }

  #stall(): void {
    this.#stalled = true;
    this.#failLine(outcomeOfFailure('overloaded'));
  }

  /**
   * While the origin is left alone, it says when that ends. Whoever tried again before would be turned away again and
   * again, with longer and longer pauses, and would miss the end by the last of them.
   */
  #overloaded(): Outcome {
    const { pace, now } = this.#deps;
    const nowMs = now();
    const waitMs = pace.askAgainAtMs(nowMs) - nowMs;
    return waitMs > LONG_WAIT_MS
      ? unavailable('overloaded', waitMs)
      : outcomeOfFailure('overloaded');
  }

  #failLine(outcome: Outcome): void {
    for (const { call } of this.#line.takeAll()) call.settle(outcome);
  }

  #probeSoon(): void {
    if (this.#probing || this.#timer !== undefined || this.#closed) return;
    const delayMs = backoffMs(
      Math.max(1, this.#failures),
      this.#options.retry,
      this.#deps.random(),
    );
    this.#probeIn(delayMs);
  }

  #probeIn(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#probe(), delayMs);
    this.#timer.unref();
  }

  #probe(): void {
    this.#timer = undefined;
    this.#probing = true;
    void this.#deps.probe().then((result) => {
      this.#probing = false;
      if (!this.#closed) this.#onProbe(result);
    });
  }

  #onProbe(result: ProbeResult): void {
    if (result.kind === 'unreachable') {
      this.#failures++;
      this.#deps.onRefused(result.detail);
      // A client that is there goes on trying by itself.
      if (this.#client === undefined) this.#failLine(outcomeOfFailure('connection'));
      this.#probeSoon();
      return;
    }
    this.#failures = 0;
    if (result.kind === 'http/1.1') this.#probeIn(this.#options.rememberMs);
    if (result.kind !== this.#protocol) this.#use(result.kind);
    this.#pump(this.#deps.now());
  }

  /** Takes up the new protocol's client; the old one, if any, is closed when its last answers may be in. */
  #use(protocol: Protocol): void {
    const before = this.#client;
    this.#protocol = protocol;
    this.#client = this.#deps.open(protocol);
    void this.#client.ready.then(() => {
      this.#firstReady.resolve();
      this.#pump(this.#deps.now());
    });
    if (before === undefined) return;
    const timer = setTimeout(() => void before.close(), this.#options.deadlineMs);
    timer.unref();
  }
}
