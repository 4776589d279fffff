import type { BoundedBody } from '../exchange.ts';
import type { Post } from '../post-client.ts';
import { MAX_31_BITS } from './frame.ts';

/**
 * The open streams of one connection, in arrays that are made once. A stream's place follows from its id, so that an
 * answer finds it without a look-up; where the place is still taken by an old stream, that id is left out (RFC 9113
 * section 5.1.1 asks for growing ids, not for all of them).
 */
export class StreamSlots {
  readonly size: number;
  /** 0: the place is free. */
  readonly #ids: Int32Array;
  /** The caller's number of the request. */
  readonly requests: Int32Array;
  readonly posts: (Post | undefined)[];
  /** Bytes of the body that are on their way. */
  readonly sent: Int32Array;
  /** What the peer takes of this stream; below 0 when it made its windows smaller (RFC 9113 section 6.9.2). */
  readonly windows: Int32Array;
  /** 0: no answer yet. */
  readonly statuses: Int16Array;
  /** Bytes of DATA frames, padding and all. */
  readonly received: Int32Array;
  readonly retryAfters: (string | undefined)[];
  readonly bodies: (BoundedBody | undefined)[];
  readonly #lastId: number;
  #nextId: number;
  #count = 0;

  /** For at most `maxStreams` at once. Ids go from `firstId` to `lastId` (both odd): the protocol's own, but in tests. */
  constructor(maxStreams: number, firstId = 1, lastId = MAX_31_BITS) {
    // Four times as many places as streams: to find the next one taken is rare.
    const size = 2 ** Math.ceil(Math.log2(maxStreams * 4));
    this.size = size;
    this.#ids = new Int32Array(size);
    this.requests = new Int32Array(size);
    this.posts = new Array<Post | undefined>(size).fill(undefined);
    this.sent = new Int32Array(size);
    this.windows = new Int32Array(size);
    this.statuses = new Int16Array(size);
    this.received = new Int32Array(size);
    this.retryAfters = new Array<string | undefined>(size).fill(undefined);
    this.bodies = new Array<BoundedBody | undefined>(size).fill(undefined);
    this.#nextId = firstId;
    this.#lastId = lastId;
  }

  get count(): number {
    return this.#count;
  }

  /** No id may be left for one more stream, even if places are taken: the connection has to be replaced. */
  get isExhausted(): boolean {
    return this.#nextId + 2 * this.#count > this.#lastId;
  }

  /** Takes a place. The caller has looked at `count` and `isExhausted`. */
  open(request: number, post: Post, window: number): number {
    let id = this.#nextId;
    while (this.#ids[this.#place(id)] !== 0) id += 2;
    this.#nextId = id + 2;
    const slot = this.#place(id);
    this.#ids[slot] = id;
    this.requests[slot] = request;
    this.posts[slot] = post;
    this.sent[slot] = 0;
    this.windows[slot] = window;
    this.statuses[slot] = 0;
    this.received[slot] = 0;
    this.#count++;
    return slot;
  }

  /** Lets go of all that the place holds. */
  close(slot: number): void {
    this.#ids[slot] = 0;
    this.posts[slot] = undefined;
    this.retryAfters[slot] = undefined;
    this.bodies[slot] = undefined;
    this.#count--;
  }

  /** 0: free. */
  idOf(slot: number): number {
    return this.#ids[slot] ?? 0;
  }

  /** -1: not open (any more). */
  find(id: number): number {
    const slot = this.#place(id);
    return this.#ids[slot] === id && id !== 0 ? slot : -1;
  }

  /** An id that we have not used yet, or that is not ours to use (RFC 9113 section 5.1.1). */
  isIdle(id: number): boolean {
    return (id & 1) === 0 || id >= this.#nextId;
  }

  /** The open ones, oldest place first or not: no order. They may be closed on the way. */
  *openSlots(): Generator<number> {
    for (let slot = 0; slot < this.size; slot++) if (this.#ids[slot] !== 0) yield slot;
  }

  #place(id: number): number {
    return (id >>> 1) & (this.size - 1);
  }
}
