/** What waits for its answer; all wait equally long, so that the oldest is always the next. */
export interface Answerable {
  readonly answer: (requestId: number) => void;
}

/** Looked at once a millisecond while something waits. */
const TICK_MS = 1;

/** Answers requests after a fixed time, with one timer for all of them and nothing allocated for each. */
export class DelayLine {
  delayMs: number;
  readonly #who: Answerable[] = [];
  readonly #what: number[] = [];
  readonly #dueMs: number[] = [];
  #head = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  add(who: Answerable, requestId: number): void {
    if (this.delayMs === 0) {
      who.answer(requestId);
      return;
    }
    this.#who.push(who);
    this.#what.push(requestId);
    this.#dueMs.push(performance.now() + this.delayMs);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const nowMs = performance.now();
    let head = this.#head;
    while (head < this.#dueMs.length && (this.#dueMs[head] ?? 0) <= nowMs) {
      this.#who[head]?.answer(this.#what[head] ?? 0);
      head++;
    }
    this.#head = head;
    if (head === this.#dueMs.length) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#cut();
    } else if (head > 65_536) this.#cut();
  }

  #cut(): void {
    for (const list of [this.#who, this.#what, this.#dueMs]) list.splice(0, this.#head);
    this.#head = 0;
  }
}
