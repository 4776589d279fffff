import type { Outcome } from './transport.ts';

/** Upper bounds of the histogram of send times, in seconds. */
const BOUNDS: readonly number[] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What one transport's sends came to, since the start of the process. */
export class SendTally {
  /** Sum of all times from a send to its outcome. */
  seconds = 0;
  sends = 0;
  #accepted = 0;
  readonly #others = new Map<string, number>();
  /** How many fell between the bound before and this one; the last: above all. */
  readonly #buckets: number[] = [...BOUNDS, 0].map(() => 0);

  add(outcome: Outcome['kind'], reason: string, seconds: number): void {
    this.sends++;
    this.seconds += seconds;
    let at = 0;
    while (at < BOUNDS.length && seconds > (BOUNDS[at] ?? 0)) at++;
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
    if (outcome === 'accepted') {
      this.#accepted++;
      return;
    }
    const key = `${outcome} ${reason}`;
    this.#others.set(key, (this.#others.get(key) ?? 0) + 1);
  }

  count({ outcome, reason }: { outcome: Outcome['kind']; reason: string }): number {
    if (outcome === 'accepted') return this.#accepted;
    return this.#others.get(`${outcome} ${reason}`) ?? 0;
  }

  /** Cumulative, as Prometheus has them. */
  buckets(): { le: string; count: number }[] {
    let count = 0;
    return this.#buckets.map((each, at) => {
      count += each;
      return { le: String(BOUNDS[at] ?? '+Inf'), count };
    });
  }
}
