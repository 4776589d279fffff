import { backoffMs } from '../../../../shared/time/backoff.ts';

const REFUSED_PAUSE = { firstMs: 20, maxMs: 500 };
/** They are looked at together, that often. */
const GRAIN_MS = 10;

/** Requests that a peer had no place for, until a moment later. They are rare: a map does. */
export class RefusedRequests {
  readonly #random: () => number;
  readonly #onDue: (request: number) => void;
  readonly #dueAtMs = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(random: () => number, onDue: (request: number) => void) {
    this.#random = random;
    this.#onDue = onDue;
  }

  get count(): number {
    return this.#dueAtMs.size;
  }

  /** The more tries, the longer the pause. */
  add(request: number, tries: number): void {
    const pauseMs = backoffMs(tries, REFUSED_PAUSE, this.#random());
    this.#dueAtMs.set(request, performance.now() + pauseMs);
    this.#timer ??= setTimeout(() => this.#look(), GRAIN_MS);
  }

  forget(request: number): void {
    if (this.#dueAtMs.size > 0) this.#dueAtMs.delete(request);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#dueAtMs.clear();
  }

  #look(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    const due = [...this.#dueAtMs].filter(([, atMs]) => atMs <= nowMs);
    for (const [request] of due) if (this.#dueAtMs.delete(request)) this.#onDue(request);
    if (this.#dueAtMs.size > 0) this.#timer ??= setTimeout(() => this.#look(), GRAIN_MS);
  }
}
