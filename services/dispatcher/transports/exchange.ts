/** Why a request brought no answer. */
export type ExchangeFailure = 'aborted' | 'closed' | 'connection' | 'overloaded' | 'timeout';

/** What came of one HTTP request: an answer, or the one reason why there is none. Never an exception. */
export type Exchange =
  | { kind: 'answer'; status: number; retryAfter: string | undefined; body: string }
  | { kind: 'failed'; reason: ExchangeFailure };

export interface ExchangeRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly signal: AbortSignal;
}

/** The most that is read of a provider's answer; the rest is dropped, the status counts. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Collects an answer's body up to the limit. */
export class BoundedBody {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  /** False when the limit is reached: stop reading. */
  add(chunk: Buffer): boolean {
    const room = MAX_ANSWER_BYTES - this.#bytes;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.#chunks.push(kept);
    this.#bytes += kept.length;
    return this.#bytes < MAX_ANSWER_BYTES;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/**
 * A promise of an exchange that settles once: by its answer, its deadline, its signal or its pool's end, whichever is
 * first. `onEnd` runs at that moment, to let go of the connection.
 */
export class PendingExchange {
  readonly promise: Promise<Exchange>;
  onEnd: (result: Exchange) => void = () => undefined;
  readonly #resolve: (result: Exchange) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.fail('aborted');
  #settled = false;

  constructor(signal: AbortSignal, deadlineMs: number) {
    const { promise, resolve } = Promise.withResolvers<Exchange>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#signal = signal;
    this.#timer = setTimeout(() => this.fail('timeout'), deadlineMs);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  get settled(): boolean {
    return this.#settled;
  }

  fail(reason: ExchangeFailure): void {
    this.settle({ kind: 'failed', reason });
  }

  settle(result: Exchange): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#resolve(result);
    this.onEnd(result);
  }
}
