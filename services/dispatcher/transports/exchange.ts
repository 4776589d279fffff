/** Why a request brought no answer. */
export type ExchangeFailure = 'aborted' | 'closed' | 'connection' | 'overloaded' | 'timeout';

/** What came of one HTTP request: an answer, or the one reason why there is none. Never an exception. */
export type Exchange =
  | { kind: 'answer'; status: number; retryAfter: string | undefined; body: string }
  | { kind: 'failed'; reason: ExchangeFailure };

/** The failures, made once: they carry nothing of their request. */
export const FAILED: { readonly [Reason in ExchangeFailure]: Exchange } = {
  aborted: { kind: 'failed', reason: 'aborted' },
  closed: { kind: 'failed', reason: 'closed' },
  connection: { kind: 'failed', reason: 'connection' },
  overloaded: { kind: 'failed', reason: 'overloaded' },
  timeout: { kind: 'failed', reason: 'timeout' },
};

const SUCCESSES: ReadonlyMap<number, Exchange> = new Map(
  [200, 201, 202, 204].map((status) => [
    status,
    { kind: 'answer', status, retryAfter: undefined, body: '' },
  ]),
);

/** The one answer of a success: nobody reads what comes with it. Undefined for any other status. */
export function successAnswer(status: number): Exchange | undefined {
  return SUCCESSES.get(status);
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
    return this.#chunks.length === 0 ? '' : Buffer.concat(this.#chunks).toString('utf8');
  }
}
