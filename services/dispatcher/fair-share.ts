/** `first`: the first try of a message; `retry`: a later one, on the slow lane. */
export type LaneOfWork = 'first' | 'retry';

interface Waiter {
  readonly run: ShareHolder;
  readonly lane: LaneOfWork;
  readonly resolve: () => void;
}

/** One alert's claim on a transport. A larger weight gets proportionally more turns. */
export interface ShareHolder {
  readonly weight: number;
  /** Turns taken, divided by weight: the one who is furthest behind goes next. */
  turns: number;
}

/** Retries together may hold this part of the places while first tries are waiting. */
const RETRY_SHARE = 0.25;
/** While both wait, one place in this many goes to a retry, so that retries are slow but never starved. */
const RETRY_EVERY = 8;

/**
 * The places in flight of one transport, shared among live alerts by severity: stride scheduling, so that an Extreme
 * alert gets most turns, none is starved, and a new alert's first tries go before the retries of an old one.
 */
export class FairShare {
  readonly #capacity: number;
  #used = 0;
  #usedByRetries = 0;
  readonly #waiting: Waiter[] = [];
  #floor = 0;
  #given = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  join(weight: number): ShareHolder {
    return { weight, turns: this.#floor };
  }

  /** Waits for a place. Call `release` with the same lane when the send has settled. */
  async acquire(run: ShareHolder, lane: LaneOfWork): Promise<void> {
    // Who has not asked for long comes in where the others are now, or it would have every turn until it caught up.
    run.turns = Math.max(run.turns, this.#floor);
    if (this.#waiting.length === 0 && this.#mayTake(lane, false)) {
      this.#take(run, lane);
      return;
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push({ run, lane, resolve });
    });
  }

  release(lane: LaneOfWork): void {
    this.#used--;
    if (lane === 'retry') this.#usedByRetries--;
    const next = this.#pickNext();
    if (next) {
      this.#take(next.run, next.lane);
      next.resolve();
    }
  }

  get inFlight(): number {
    return this.#used;
  }

  #mayTake(lane: LaneOfWork, firstTriesWait: boolean): boolean {
    if (this.#used >= this.#capacity) return false;
    return (
      lane === 'first' || !firstTriesWait || this.#usedByRetries < this.#capacity * RETRY_SHARE
    );
  }

  #take(run: ShareHolder, lane: LaneOfWork): void {
    this.#used++;
    if (lane === 'retry') this.#usedByRetries++;
    if (lane === 'first') this.#floor = Math.max(this.#floor, run.turns);
    run.turns += 1 / run.weight;
  }

  #pickNext(): Waiter | undefined {
    const firstTriesWait = this.#waiting.some(({ lane }) => lane === 'first');
    this.#given++;
    const preferred: LaneOfWork = this.#given % RETRY_EVERY === 0 ? 'retry' : 'first';
    let best = -1;
    for (const [index, waiter] of this.#waiting.entries()) {
      if (!this.#mayTake(waiter.lane, firstTriesWait)) continue;
      const current = this.#waiting[best];
      if (current === undefined || goesBefore(waiter, current, preferred)) best = index;
    }
    return best === -1 ? undefined : this.#waiting.splice(best, 1)[0];
  }
}

function goesBefore(a: Waiter, b: Waiter, preferred: LaneOfWork): boolean {
  if (a.lane !== b.lane) return a.lane === preferred;
  return a.run.turns < b.run.turns;
}
