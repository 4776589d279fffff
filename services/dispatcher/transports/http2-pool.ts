import { backoffMs } from '../../../shared/time/backoff.ts';
import { type Exchange, type ExchangeFailure, FAILED } from './exchange.ts';
import { Http2Link, type Job } from './http2-link.ts';
import type { Http2PoolDeps, Http2PoolOptions } from './http2-pool-options.ts';
import { OpenCalls } from './open-calls.ts';
import type { Post, PostClient } from './post-client.ts';
import { planReconnect } from './reconnect.ts';
import { WaitingLine } from './waiting-line.ts';

/** A request is written to at most this many sessions, and only while each says that it did not process it. */
const MAX_TRIES = 6;
const REFUSED_PAUSE = { firstMs: 20, maxMs: 500 };

interface Slot {
  link: Http2Link | undefined;
  attempt: number;
  reconnectTimer: NodeJS.Timeout | undefined;
}

/**
 * Warm HTTP/2 sessions to one origin, by `node:http2`. Every request settles by its deadline: sessions are kept within the peer's
 * stream limit, GOAWAY moves what was not processed to another session, a dead session settles all that it held.
 */
export class Http2Pool implements PostClient {
  readonly #options: Http2PoolOptions;
  readonly #deps: Http2PoolDeps;
  readonly #slots: Slot[];
  readonly #draining = new Set<Http2Link>();
  readonly #calls: OpenCalls<Exchange>;
  /** In order of arrival. */
  readonly #queue = new WaitingLine<Job>();
  /** Jobs in the queue that have not ended. */
  #queued = 0;
  readonly #firstReady = Promise.withResolvers<void>();
  #downTimer: NodeJS.Timeout | undefined;
  #down = false;
  #closed = false;
  #next = 0;

  constructor(options: Http2PoolOptions, deps: Http2PoolDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#calls = new OpenCalls({
      deadlineMs: options.deadlineMs,
      onDeadline: FAILED.timeout,
      onAbort: FAILED.aborted,
    });
    this.#slots = Array.from({ length: options.sessions }, () => ({
      link: undefined,
      attempt: 0,
      reconnectTimer: undefined,
    }));
    this.#watchForDown();
    for (const slot of this.#slots) this.#open(slot);
  }

  /** Sessions that may be used now. */
  get openSessions(): number {
    return this.#slots.filter((slot) => slot.link?.ready).length;
  }

  get capacity(): number {
    let streams = 0;
    for (const { link } of this.#slots) streams += link?.streams ?? 0;
    return streams;
  }

  get ready(): Promise<void> {
    return this.#firstReady.promise;
  }

  post(post: Post, settle: (exchange: Exchange) => void): void {
    const refusal = this.#refusal(post.signal);
    if (refusal !== undefined) {
      settle(FAILED[refusal]);
      return;
    }
    this.#enqueue({ post, call: this.#calls.begin(post.signal, settle), tries: 0 });
    this.#pump();
  }

  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#downTimer);
    this.#failQueue('closed');
    // Before the sessions end: what is on the wire would settle as `connection`.
    this.#calls.settleAll(FAILED.closed);
    for (const slot of this.#slots) {
      clearTimeout(slot.reconnectTimer);
      slot.link?.destroy();
    }
    for (const link of [...this.#draining]) link.destroy();
    this.#firstReady.resolve();
    return Promise.resolve();
  }

  #refusal(signal: AbortSignal): ExchangeFailure | undefined {
    if (this.#closed) return 'closed';
    if (signal.aborted) return 'aborted';
    if (this.#down) return 'connection';
    return this.#queued >= this.#options.maxQueued ? 'overloaded' : undefined;
  }

  #enqueue(job: Job): void {
    this.#queue.add(job);
    this.#queued++;
    job.call.onEnd = () => this.#queued--;
  }

  #pump(): void {
    for (let job = this.#queue.first(); job !== undefined; job = this.#queue.first()) {
      // One signal may end many sends, each of which makes room for the next: none may slip out on the way.
      if (job.post.signal.aborted) {
        job.call.settle(FAILED.aborted);
        continue;
      }
      const link = this.#linkWithRoom();
      if (link === undefined) return;
      this.#queue.take();
      this.#queued--;
      job.call.onEnd = undefined;
      link.take(job);
    }
  }

  /** Round robin over the sessions that have room. */
  #linkWithRoom(): Http2Link | undefined {
    for (let tried = 0; tried < this.#slots.length; tried++) {
      this.#next = (this.#next + 1) % this.#slots.length;
      const link = this.#slots[this.#next]?.link;
      if (link !== undefined && link.room > 0) return link;
    }
    return undefined;
  }

  #open(slot: Slot): void {
    const openedAtMs = performance.now();
    const link = new Http2Link(
      { ...this.#options, maxStreams: this.#options.maxStreamsPerSession },
      {
        onReady: () => this.#onReady(),
        onRoom: () => this.#pump(),
        onUnprocessed: (job, why) => this.#onUnprocessed(job, why),
        onDraining: (code) => {
          this.#deps.onConnection('draining', `GOAWAY ${code}`);
          this.#draining.add(link);
          this.#replace(slot, link, openedAtMs);
        },
        onClosed: (cause) => {
          this.#draining.delete(link);
          if (slot.link === link && !this.#closed)
            this.#deps.onConnection('lost', cause?.message ?? 'ended');
          this.#replace(slot, link, openedAtMs);
        },
      },
    );
    slot.link = link;
  }

  /** Opens a new session in the place of one that ends. */
  #replace(slot: Slot, link: Http2Link, openedAtMs: number): void {
    if (slot.link !== link) return;
    slot.link = undefined;
    if (this.#closed) return;
    this.#watchForDown();
    const { answered, endsInPeace } = link;
    const ending = { livedMs: performance.now() - openedAtMs, answered, endsInPeace };
    const { reconnect } = this.#options;
    const next = planReconnect(slot.attempt, ending, this.#down, reconnect, this.#deps.random());
    slot.attempt = next.attempt;
    slot.reconnectTimer = setTimeout(() => this.#open(slot), next.delayMs);
  }

  #onReady(): void {
    clearTimeout(this.#downTimer);
    this.#downTimer = undefined;
    this.#down = false;
    this.#deps.onConnection('opened', `${this.openSessions} open`);
    this.#firstReady.resolve();
    this.#pump();
  }

  /** Without any session, waiting to the deadline would only hold up the caller. */
  #watchForDown(): void {
    if (this.#downTimer !== undefined || this.#down || this.openSessions > 0) return;
    this.#downTimer = setTimeout(() => {
      this.#downTimer = undefined;
      if (this.openSessions > 0) return;
      this.#down = true;
      this.#failQueue('connection');
    }, this.#options.downAfterMs);
  }

  #onUnprocessed(job: Job, why: 'refused' | 'session-ends'): void {
    if (why === 'session-ends') {
      this.#again(job);
      return;
    }
    const pauseMs = backoffMs(job.tries, REFUSED_PAUSE, this.#deps.random());
    setTimeout(() => this.#again(job), pauseMs);
  }

  #again(job: Job): void {
    if (job.call.settled) return;
    if (this.#closed) job.call.settle(FAILED.closed);
    else if (this.#down || job.tries >= MAX_TRIES) job.call.settle(FAILED.connection);
    else {
      this.#enqueue(job);
      this.#pump();
    }
  }

  #failQueue(reason: ExchangeFailure): void {
    for (const { call } of this.#queue.takeAll()) call.settle(FAILED[reason]);
  }
}
