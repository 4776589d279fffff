import type { Exchange } from '../exchange.ts';
import type { Post } from '../post-client.ts';
import type { FramedSession } from './framed-session.ts';
import type { WatchedSignal } from './signal-watch.ts';
import { SlotList } from './slot-list.ts';

export type Settle = (exchange: Exchange) => void;

const NOWHERE = -1;

/** All requests of a pool, each a number below `size`: arrays that are made once in place of an object each. */
export class RequestTable {
  /** All of them, oldest first: as each has the same time, that is the order of their deadlines. */
  readonly ages: SlotList;
  /** Those that no session has, in the order in which they get one. */
  readonly waiting: SlotList;
  readonly tries: Uint8Array;
  /** On the clock of `performance.now()`. */
  readonly deadlines: Float64Array;
  readonly #posts: (Post | undefined)[];
  readonly #settles: (Settle | undefined)[];
  readonly #signals: (WatchedSignal | undefined)[];
  readonly #sessions: (FramedSession | undefined)[];
  /** The request's place in its session. */
  readonly #places: Int32Array;
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(size: number) {
    this.ages = new SlotList(size);
    this.waiting = new SlotList(size);
    this.tries = new Uint8Array(size);
    this.deadlines = new Float64Array(size);
    this.#posts = new Array<Post | undefined>(size).fill(undefined);
    this.#settles = new Array<Settle | undefined>(size).fill(undefined);
    this.#signals = new Array<WatchedSignal | undefined>(size).fill(undefined);
    this.#sessions = new Array<FramedSession | undefined>(size).fill(undefined);
    this.#places = new Int32Array(size);
    this.#free = Int32Array.from({ length: size }, (_, i) => size - 1 - i);
    this.#freeCount = size;
  }

  get isFull(): boolean {
    return this.#freeCount === 0;
  }

  /** The caller has looked at `isFull`. */
  add(post: Post, settle: Settle, signal: WatchedSignal, deadlineMs: number): number {
    const request = this.#free[--this.#freeCount] ?? NOWHERE;
    this.#posts[request] = post;
    this.#settles[request] = settle;
    this.#signals[request] = signal;
    this.tries[request] = 0;
    this.deadlines[request] = deadlineMs;
    this.ages.append(request);
    return request;
  }

  /** Undefined for a number that is free. */
  postOf(request: number): Post | undefined {
    return this.#posts[request];
  }

  signalOf(request: number): WatchedSignal | undefined {
    return this.#signals[request];
  }

  /** A session has it, at this place. */
  put(request: number, session: FramedSession, place: number): void {
    this.#sessions[request] = session;
    this.#places[request] = place;
  }

  /** No session has it any more. */
  takeBack(request: number): void {
    this.#sessions[request] = undefined;
  }

  sessionOf(request: number): FramedSession | undefined {
    return this.#sessions[request];
  }

  placeOf(request: number): number {
    return this.#places[request] ?? NOWHERE;
  }

  /** Forgets the request; the caller has to call what is returned. */
  remove(request: number): Settle | undefined {
    const settle = this.#settles[request];
    this.ages.remove(request);
    this.waiting.remove(request);
    this.#posts[request] = undefined;
    this.#settles[request] = undefined;
    this.#signals[request] = undefined;
    this.#sessions[request] = undefined;
    this.#free[this.#freeCount++] = request;
    return settle;
  }
}
