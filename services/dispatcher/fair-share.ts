import type { Clock } from '../../shared/time/clock.ts';
import type { Pace, PacedSend } from './pacing/pace.ts';
import type { Outcome } from './transports/transport.ts';

/** `first`: the first try of a message; `retry`: a later one, on the slow lane. */
export type LaneOfWork = 'first' | 'retry';

interface Waiter {
  readonly run: ShareHolder;
  readonly lane: LaneOfWork;
  readonly resolve: (hasPlace: boolean) => void;
}

/** One alert's claim on a transport. A larger weight gets proportionally more turns. */
export interface ShareHolder {
  readonly weight: number;
  readonly send: PacedSend;
  readonly signal: AbortSignal | undefined;
  /** Turns taken, divided by weight: the one who is furthest behind goes next. */
  turns: number;
}

/** What the provider allows at all, whoever's turn it is. */
export interface Pacing {
  readonly pace: Pace;
  readonly now: Clock;
}

/** Retries together may hold this part of the places while first tries are waiting. */
const RETRY_SHARE = 0.25;
/** While both wait, one place in this many goes to a retry, so that retries are slow but never starved. */
const RETRY_EVERY = 8;
/** So many retries may be in flight even while the process is busy: a machine that never catches up still retries. */
const RETRIES_WHILE_BUSY = 4;

/**
 * The places in flight of one transport, shared among live alerts by severity: stride scheduling, so that an Extreme
 * alert gets most turns, none is starved, and a new alert's first tries go before the retries of an old one. With a
 * pace, a turn is given only when the provider allows a send: who comes first is decided then, not when it was asked.
 */
export class FairShare {
  readonly #capacity: number;
  #used = 0;
  #usedByRetries = 0;
  readonly #waiting: Waiter[] = [];
  #floor = 0;
  #given = 0;
  readonly #pacing: Pacing | undefined;
  readonly #isBusy: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** Who got the last place and is about to ask for the next. */
  #expected: Waiter | undefined;

  /** `isBusy`: this process has more to do than it can, so that only a few retries may be in flight at a time. */
  constructor(capacity: number, pacing?: Pacing, isBusy: () => boolean = () => false) {
    this.#capacity = capacity;
    this.#pacing = pacing;
    this.#isBusy = isBusy;
  }

  /** When the signal aborts, nothing that waits for this claim waits on. */
  join(weight: number, send: PacedSend = 'message', signal?: AbortSignal): ShareHolder {
    const run: ShareHolder = { weight, send, signal, turns: this.#floor };
    signal?.addEventListener('abort', () => this.#forget(run), { once: true });
    return run;
  }

  /** Takes a place if one is free and nobody waits: most messages of an alert that is alone need no promise for it. */
  takeFree(run: ShareHolder, lane: LaneOfWork): boolean {
    // Who has not asked for long comes in where the others are now, or it would have every turn until it caught up.
    run.turns = Math.max(run.turns, this.#floor);
    if (run.signal?.aborted) return false;
    if (this.#expected?.run === run && this.#expected.lane === lane) this.#expected = undefined;
    if (this.#waiting.length > 0 || !this.#mayTake(run, lane, false)) return false;
    this.#take(run, lane);
    return true;
  }

  /**
   * Waits for a place. Call `release` with the same lane when the send has settled. False when the claim was given up
   * first: there is no place then, and nothing to release.
   */
  acquire(run: ShareHolder, lane: LaneOfWork): Promise<boolean> {
    if (this.takeFree(run, lane)) return Promise.resolve(true);
    if (run.signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.push({ run, lane, resolve });
      this.#serve();
    });
  }

  /** `outcome` and `latencyMs` say what the pace should know; without them nothing was sent after all. */
  release(lane: LaneOfWork, outcome?: Outcome, latencyMs = 0): void {
    this.#used--;
    if (lane === 'retry') this.#usedByRetries--;
    this.#pacing?.pace.ended(outcome, latencyMs, this.#pacing.now());
    this.#serve();
  }

  get inFlight(): number {
    return this.#used;
  }

  /** Of these, first tries: an alert is on its way to those who have not had it. */
  get firstTriesInFlight(): number {
    return this.#used - this.#usedByRetries;
  }

  /**
   * Gives out the next place, if there is one. The one after it waits until whoever got this one has asked again: each
   * asks for one place at a time, and those who merely wait would get all that becomes free together.
   */
  #serve(): void {
    if (this.#expected !== undefined || this.#waiting.length === 0) return;
    const next = this.#pickNext();
    if (!next) {
      this.#lookAgainLater();
      return;
    }
    this.#take(next.run, next.lane);
    this.#expected = next;
    // Perhaps it asks for nothing more.
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#expected = undefined;
      this.#serve();
    });
    next.resolve(true);
  }

  #lookAgainLater(): void {
    if (this.#pacing === undefined || this.#timer !== undefined) return;
    if (this.#used >= this.#capacity) return;
    const { pace, now } = this.#pacing;
    const nowMs = now();
    // Looked at once a second at the least: a peer that falls silent gives us its part of the quota.
    const waitMs = Math.min(1_000, Math.max(1, pace.askAgainAtMs(nowMs) - nowMs));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#serve();
    }, waitMs);
    this.#timer.unref();
  }

  #forget(run: ShareHolder): void {
    const given = this.#waiting.filter((waiter) => waiter.run === run);
    for (const waiter of given) {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve(false);
    }
  }

  #mayTake(run: ShareHolder, lane: LaneOfWork, firstTriesWait: boolean): boolean {
    if (this.#used >= this.#capacity) return false;
    if (lane === 'retry' && this.#usedByRetries >= RETRIES_WHILE_BUSY && this.#isBusy())
      return false;
    const mayBeRetry =
      lane === 'first' || !firstTriesWait || this.#usedByRetries < this.#capacity * RETRY_SHARE;
    return mayBeRetry && (this.#pacing?.pace.mayStart(this.#pacing.now(), run.send) ?? true);
  }

  #take(run: ShareHolder, lane: LaneOfWork): void {
    this.#pacing?.pace.started(this.#pacing.now());
    this.#used++;
    if (lane === 'retry') this.#usedByRetries++;
    if (lane === 'first') this.#floor = Math.max(this.#floor, run.turns);
    run.turns += 1 / run.weight;
  }

  #pickNext(): Waiter | undefined {
    const firstTriesWait = this.#waiting.some(({ lane }) => lane === 'first');
    const preferred: LaneOfWork = (this.#given + 1) % RETRY_EVERY === 0 ? 'retry' : 'first';
    let best = -1;
    for (const [index, waiter] of this.#waiting.entries()) {
      if (!this.#mayTake(waiter.run, waiter.lane, firstTriesWait)) continue;
      const current = this.#waiting[best];
      if (current === undefined || goesBefore(waiter, current, preferred)) best = index;
    }
    if (best === -1) return undefined;
    this.#given++;
    return this.#waiting.splice(best, 1)[0];
  }
}

function goesBefore(a: Waiter, b: Waiter, preferred: LaneOfWork): boolean {
  if (a.lane !== b.lane) return a.lane === preferred;
  return a.run.turns < b.run.turns;
}
