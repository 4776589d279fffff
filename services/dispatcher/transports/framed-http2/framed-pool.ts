import { oncePerTurn } from '../../../../shared/time/once-per-turn.ts';
import { type Exchange, type ExchangeFailure, FAILED } from '../exchange.ts';
import type { Http2PoolDeps, Http2PoolOptions } from '../http2-pool-options.ts';
import type { Post, PostClient } from '../post-client.ts';
import { planReconnect } from '../reconnect.ts';
import { CODE } from './frame.ts';
import { FramedSession, NoHttp2Error } from './framed-session.ts';
import { RefusedRequests } from './refused-requests.ts';
import { RequestTable, type Settle } from './request-table.ts';
import { SignalWatch, type WatchedSignal } from './signal-watch.ts';

/** A request is written to at most this many sessions, and only while each says that it did not process it. */
const MAX_TRIES = 6;
/** So many requests in a row go to one session: what is written together is cheaper, what dies together is bounded. */
const RUN = 16;
/** Deadlines are looked at no more often than this. */
const DEADLINE_GRAIN_MS = 10;

interface Line {
  session: FramedSession | undefined;
  attempt: number;
  reconnectTimer: NodeJS.Timeout | undefined;
}

/**
 * Warm HTTP/2 sessions with frames of our own to one origin. Every request settles by its deadline: sessions are kept
 * within the peer's limits, what a session did not process goes to another one, a dead session settles all that it held.
 */
export class FramedPool implements PostClient {
  readonly #options: Http2PoolOptions;
  readonly #deps: Http2PoolDeps;
  readonly #lines: Line[];
  /** Every session whose socket may be open, those that drain too. */
  readonly #sessions = new Set<FramedSession>();
  readonly #requests: RequestTable;
  readonly #signals = new SignalWatch((signal) => this.#onAbort(signal));
  readonly #refused: RefusedRequests;
  readonly #firstReady = Promise.withResolvers<void>();
  readonly #now = oncePerTurn(() => performance.now());
  #deadlineTimer: NodeJS.Timeout | undefined;
  #downTimer: NodeJS.Timeout | undefined;
  #isDown = false;
  #isClosed = false;
  #lacksHttp2 = false;
  #next = 0;
  #run = 0;

  constructor(options: Http2PoolOptions, deps: Http2PoolDeps) {
    this.#options = options;
    this.#deps = deps;
    // As many again as may be in flight: sessions that drain keep theirs while the new ones are filled.
    const inFlight = options.sessions * options.maxStreamsPerSession;
    this.#requests = new RequestTable(options.maxQueued + 2 * inFlight);
    this.#refused = new RefusedRequests(deps.random, (request) => this.#again(request));
    this.#lines = Array.from({ length: options.sessions }, () => ({
      session: undefined,
      attempt: 0,
      reconnectTimer: undefined,
    }));
    this.#watchForDown();
    for (const line of this.#lines) this.#open(line);
  }

  /** Sessions that may be used now. */
  get openSessions(): number {
    return this.#lines.filter((line) => line.session?.isUsable).length;
  }

  get capacity(): number {
    return this.#lines.reduce((sum, { session }) => sum + (session?.capacity ?? 0), 0);
  }

  get ready(): Promise<void> {
    return this.#firstReady.promise;
  }

  /** The last server that answered speaks HTTP/1.1 only: every request fails at once, another kind of client is needed. */
  get lacksHttp2(): boolean {
    return this.#lacksHttp2;
  }

  post(post: Post, settle: Settle): void {
    const signal = this.#isClosed ? undefined : this.#signals.acquire(post.signal);
    if (signal === undefined) {
      settle(this.#isClosed ? FAILED.closed : FAILED.aborted);
      return;
    }
    const session = this.#requests.waiting.count === 0 ? this.#sessionWithRoom() : undefined;
    const refusal = this.#refusal(session !== undefined);
    if (refusal !== undefined) {
      this.#signals.release(signal);
      settle(FAILED[refusal]);
      return;
    }
    const deadlineMs = this.#now() + this.#options.deadlineMs;
    const request = this.#requests.add(post, settle, signal, deadlineMs);
    if (session === undefined) this.#requests.waiting.append(request);
    else this.#place(request, post, session);
    this.#deadlineTimer ??= setTimeout(() => this.#onDeadlines(), this.#options.deadlineMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#downTimer);
    clearTimeout(this.#deadlineTimer);
    for (const line of this.#lines) clearTimeout(line.reconnectTimer);
    this.#failAll('closed');
    this.#refused.close();
    this.#signals.forgetUnused();
    this.#firstReady.resolve();
    const sessions = [...this.#sessions];
    for (const session of sessions) session.end(CODE.NO_ERROR, new Error('closed'));
    await Promise.all(sessions.map(({ gone }) => gone));
  }

  #refusal(hasRoom: boolean): ExchangeFailure | undefined {
    if (this.#isDown) return 'connection';
    const queued = this.#requests.waiting.count + this.#refused.count;
    const isFull = this.#requests.isFull || (!hasRoom && queued >= this.#options.maxQueued);
    return isFull ? 'overloaded' : undefined;
  }

  /** Runs of requests to each session that has room, in turn. */
  #sessionWithRoom(): FramedSession | undefined {
    const current = this.#lines[this.#next]?.session;
    if (current !== undefined && this.#run < RUN && current.room > 0) {
      this.#run++;
      return current;
    }
    this.#run = 1;
    for (let tried = 0; tried < this.#lines.length; tried++) {
      this.#next = (this.#next + 1) % this.#lines.length;
      const session = this.#lines[this.#next]?.session;
      if (session !== undefined && session.room > 0) return session;
    }
    return undefined;
  }

  #place(request: number, post: Post, session: FramedSession): void {
    this.#requests.tries[request] = (this.#requests.tries[request] ?? 0) + 1;
    this.#requests.put(request, session, session.take(request, post));
  }

  #pump(): void {
    const { waiting } = this.#requests;
    while (waiting.count > 0) {
      const session = this.#sessionWithRoom();
      if (session === undefined) return;
      const request = waiting.first;
      const post = this.#requests.postOf(request);
      waiting.remove(request);
      if (post !== undefined) this.#place(request, post, session);
    }
  }

  /** Takes the request out of everything; its `settle` is still to be called. */
  #detach(request: number): Settle | undefined {
    const signal = this.#requests.signalOf(request);
    if (signal !== undefined) this.#signals.release(signal);
    this.#refused.forget(request);
    return this.#requests.remove(request);
  }

  #onSettled(request: number, exchange: Exchange): void {
    this.#detach(request)?.(exchange);
    if (this.#requests.waiting.count > 0) this.#pump();
  }

  /** Settles a request, wherever it is. */
  #fail(request: number, reason: ExchangeFailure): void {
    const session = this.#requests.sessionOf(request);
    const place = this.#requests.placeOf(request);
    const settle = this.#detach(request);
    session?.cancel(place);
    if (reason === 'timeout') session?.suspect();
    settle?.(FAILED[reason]);
  }

  #failAll(reason: ExchangeFailure): void {
    const { ages } = this.#requests;
    while (ages.count > 0) this.#fail(ages.first, reason);
  }

  /** What ends may bring a new request: that must not set the timer, its own deadline is the last of all. */
  #onDeadlines(): void {
    const { ages, deadlines } = this.#requests;
    const nowMs = performance.now();
    while (ages.count > 0 && (deadlines[ages.first] ?? 0) <= nowMs)
      this.#fail(ages.first, 'timeout');
    this.#pump();
    this.#deadlineTimer = undefined;
    if (ages.count === 0 || this.#isClosed) return;
    const waitMs = Math.max(DEADLINE_GRAIN_MS, (deadlines[ages.first] ?? 0) - nowMs);
    this.#deadlineTimer = setTimeout(() => this.#onDeadlines(), waitMs);
  }

  /** All that hang on the signal end before anything that waits gets their places. */
  #onAbort(signal: WatchedSignal): void {
    const { ages } = this.#requests;
    const settles: (Settle | undefined)[] = [];
    for (let [request, next] = [ages.first, -1]; request >= 0; request = next) {
      next = ages.after(request);
      if (this.#requests.signalOf(request) !== signal) continue;
      const session = this.#requests.sessionOf(request);
      const place = this.#requests.placeOf(request);
      settles.push(this.#detach(request));
      session?.cancel(place);
    }
    for (const settle of settles) settle?.(FAILED.aborted);
    this.#pump();
  }

  #open(line: Line): void {
    const openedAtMs = performance.now();
    const session = new FramedSession(
      { ...this.#options, maxStreams: this.#options.maxStreamsPerSession },
      {
        onReady: () => this.#onReady(),
        onRoom: () => this.#pump(),
        onSettled: (request, exchange) => this.#onSettled(request, exchange),
        onUnprocessed: (request, why) => this.#onUnprocessed(request, why),
        onDraining: (why) => {
          this.#deps.onConnection('draining', why);
          this.#replace(line, session, openedAtMs);
        },
        onClosed: (cause) => this.#onClosed(line, session, openedAtMs, cause),
      },
    );
    this.#sessions.add(session);
    void session.gone.then(() => this.#sessions.delete(session));
    line.session = session;
  }

  #onClosed(line: Line, session: FramedSession, openedAtMs: number, cause: Error): void {
    if (line.session !== session || this.#isClosed) return;
    this.#deps.onConnection('lost', cause.message);
    this.#replace(line, session, openedAtMs);
    if (!(cause instanceof NoHttp2Error)) return;
    this.#lacksHttp2 = true;
    if (this.openSessions === 0) this.#goDown();
  }

  /** Opens a new session in the place of one that ends. */
  #replace(line: Line, session: FramedSession, openedAtMs: number): void {
    if (line.session !== session) return;
    line.session = undefined;
    if (this.#isClosed) return;
    this.#watchForDown();
    const { answered, endsInPeace } = session;
    const ending = { livedMs: performance.now() - openedAtMs, answered, endsInPeace };
    const { reconnect } = this.#options;
    const next = planReconnect(line.attempt, ending, this.#isDown, reconnect, this.#deps.random());
    line.attempt = next.attempt;
    line.reconnectTimer = setTimeout(() => this.#open(line), next.delayMs);
  }

  #onReady(): void {
    clearTimeout(this.#downTimer);
    this.#downTimer = undefined;
    this.#isDown = false;
    this.#lacksHttp2 = false;
    this.#deps.onConnection('opened', `${this.openSessions} open`);
    this.#firstReady.resolve();
    this.#pump();
  }

  /** Without any session, waiting to the deadline would only hold up the caller. */
  #watchForDown(): void {
    if (this.#downTimer !== undefined || this.#isDown || this.openSessions > 0) return;
    this.#downTimer = setTimeout(() => {
      this.#downTimer = undefined;
      if (this.openSessions === 0) this.#goDown();
    }, this.#options.downAfterMs);
  }

  /** What is still in flight on a session that drains may be answered. */
  #goDown(): void {
    this.#isDown = true;
    const { waiting } = this.#requests;
    while (waiting.count > 0) this.#fail(waiting.first, 'connection');
  }

  #onUnprocessed(request: number, why: 'refused' | 'session-ends'): void {
    this.#requests.takeBack(request);
    if (why === 'session-ends') this.#again(request);
    else this.#refused.add(request, this.#requests.tries[request] ?? 1);
  }

  #again(request: number): void {
    const tries = this.#requests.tries[request] ?? MAX_TRIES;
    if (this.#isClosed) this.#fail(request, 'closed');
    else if (this.#isDown || tries >= MAX_TRIES) this.#fail(request, 'connection');
    else {
      // Before those that came later.
      this.#requests.waiting.prepend(request);
      this.#pump();
    }
  }
}
