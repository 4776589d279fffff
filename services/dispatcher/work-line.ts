import type { RunDecision } from './run-events.ts';

/** The decisions that take time. */
export type Work = Extract<RunDecision, { type: 'load' | 'send' }>;

/**
 * Does one thing after the other: a slice of recipients is read when the one before it has been handed over, so that
 * what waits in memory is bounded by the places in flight.
 */
export class WorkLine {
  readonly #work: (decision: Work) => Promise<void>;
  readonly #waiting: Work[] = [];
  #isBusy = false;
  #idle: Promise<void> = Promise.resolve();

  /** `work` never rejects. */
  constructor(work: (decision: Work) => Promise<void>) {
    this.#work = work;
  }

  add(decision: Work): void {
    this.#waiting.push(decision);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#idle = this.#workAll();
  }

  /** Resolves when all that was added has been done. */
  get idle(): Promise<void> {
    return this.#idle;
  }

  async #workAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      await this.#work(next);
    this.#isBusy = false;
  }
}
