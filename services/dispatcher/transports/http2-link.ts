import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { BoundedBody, type Exchange, FAILED, successAnswer } from './exchange.ts';
import type { Http2PoolOptions } from './http2-pool-options.ts';
import type { OpenCall } from './open-calls.ts';
import { bodyLength, type Post, wholeBody } from './post-client.ts';

/** A request on its way through the pool; `tries` counts the sessions that it was written to. */
export interface Job {
  readonly post: Post;
  readonly call: OpenCall<Exchange>;
  tries: number;
}

export interface LinkOptions
  extends Pick<
    Http2PoolOptions,
    'origin' | 'connectTimeoutMs' | 'busyPingMs' | 'idlePingMs' | 'pingTimeoutMs' | 'tls'
  > {
  /** Never more streams than this at once, whatever the peer allows. */
  readonly maxStreams: number;
}

export interface LinkEvents {
  /** The peer's settings are here: it may be used. */
  readonly onReady: () => void;
  /** Takes no new requests any more (GOAWAY), but may still answer those it has. */
  readonly onDraining: (goawayCode: number) => void;
  /**
   * The peer did not process this request: it may go to another link, or, when it was refused by a session that goes on
   * (the peer still counts a stream that we ended), to this one a moment later.
   */
  readonly onUnprocessed: (job: Job, why: 'refused' | 'session-ends') => void;
  readonly onRoom: () => void;
  /** The session is gone and holds nothing any more. */
  readonly onClosed: (cause: Error | undefined) => void;
}

/** Flow-control window of each stream and of the session: answers are small, so these never make us wait. */
const STREAM_WINDOW = 1 << 20;
const SESSION_WINDOW = 1 << 24;

/**
 * Resets that say "too many at once". RFC 9113 section 8.7 promises for REFUSED_STREAM that nothing was processed;
 * servers on Node say ENHANCE_YOUR_CALM for the same. Were one processed all the same, the device shows it once (P4).
 */
const REFUSALS: ReadonlySet<number> = new Set([
  constants.NGHTTP2_REFUSED_STREAM,
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
]);

/**
 * One HTTP/2 session. It settles or gives back every job it took: on the answer, on a reset, on GOAWAY, on a PING that
 * is not answered, on the session's end. (A stream's `error` alone is not enough: one that died with its session may
 * only say `close`.)
 */
export class Http2Link {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #session: ClientHttp2Session;
  readonly #jobs = new Map<Job, ClientHttp2Stream>();
  readonly #connectTimer: NodeJS.Timeout;
  #ticker: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #lastPingAtMs = performance.now();
  #ready = false;
  #draining = false;
  #tornDown = false;
  #closed = false;
  #answered = 0;
  #goawayLastStreamId = Number.POSITIVE_INFINITY;
  #cause: Error | undefined;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#session = connect(options.origin, {
      ...options.tls,
      ALPNProtocols: ['h2'],
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    this.#connectTimer = setTimeout(
      () => this.destroy(new Error('no connection in time')),
      options.connectTimeoutMs,
    );
    this.#session.once('connect', () => {
      // Closed while it connected: it still says so, and then throws at whoever touches it.
      if (!this.#session.destroyed) this.#session.setLocalWindowSize(SESSION_WINDOW);
    });
    this.#session.on('remoteSettings', () => this.#onSettings());
    this.#session.on('goaway', (code, lastStreamId) => this.#onGoaway(code, lastStreamId));
    this.#session.on('error', (error: Error) => {
      this.#cause ??= error;
    });
    this.#session.once('close', () => this.#onClose());
  }

  /** How many requests it may have at once; 0 when it takes none. */
  get streams(): number {
    if (!this.#ready || this.#draining || this.#closed) return 0;
    const allowed = this.#session.remoteSettings.maxConcurrentStreams ?? this.#options.maxStreams;
    return Math.min(allowed, this.#options.maxStreams);
  }

  /** How many more requests it can take now. */
  get room(): number {
    return this.streams - this.#jobs.size;
  }

  get ready(): boolean {
    return this.#ready && !this.#draining && !this.#closed;
  }

  /** Requests that it brought an answer for. */
  get answered(): number {
    return this.#answered;
  }

  /** It ends with its last answer, and for no error. */
  get endsInPeace(): boolean {
    return this.#draining && !this.#tornDown;
  }

  /** Writes a request. The caller has looked at `room`. */
  take(job: Job): void {
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request({
        ':method': 'POST',
        ':path': job.post.path,
        ...job.post.headers,
        'content-length': bodyLength(job.post),
      });
    } catch {
      // The session learned of its end before it told us; nothing was written.
      job.tries++;
      this.#events.onUnprocessed(job, 'refused');
      return;
    }
    job.tries++;
    this.#jobs.set(job, stream);
    job.call.onEnd = (result) => {
      if (!stream.readableEnded) stream.close(constants.NGHTTP2_CANCEL);
      this.#forget(job);
      // A request without an answer is the first sign of a dead link: ask at once.
      if (result.kind === 'failed' && result.reason === 'timeout') this.#ping();
    };
    this.#listen(job, stream);
    stream.end(wholeBody(job.post));
  }

  #listen(job: Job, stream: ClientHttp2Stream): void {
    let body: BoundedBody | undefined;
    let status: number | undefined;
    let retryAfter: string | undefined;
    const answer = () => {
      if (status === undefined) return;
      if (!job.call.settled) this.#answered++;
      const text = body?.text() ?? '';
      job.call.settle(successAnswer(status) ?? { kind: 'answer', status, retryAfter, body: text });
    };
    stream.on('response', (headers) => {
      status = headers[':status'];
      if (status !== undefined && successAnswer(status) !== undefined) {
        return;
      }
      const header = headers['retry-after'];
      retryAfter = typeof header === 'string' ? header : undefined;
      const collected = new BoundedBody();
      body = collected;
      stream.on('data', (chunk: Buffer) => {
        if (!collected.add(chunk)) answer();
      });
    });
    stream.resume();
    stream.on('end', answer);
    stream.on('error', () => undefined);
    stream.once('close', () => this.#onStreamClose(job, stream, answer));
  }

  /** Settings, a reset or the session's end may close a stream without an answer. */
  #onStreamClose(job: Job, stream: ClientHttp2Stream, answer: () => void): void {
    if (job.call.settled || this.#jobs.get(job) !== stream) return;
    const refused = REFUSALS.has(stream.rstCode ?? constants.NGHTTP2_NO_ERROR);
    const beyondGoaway = stream.id === undefined || stream.id > this.#goawayLastStreamId;
    if (refused || beyondGoaway) {
      // RFC 9113 section 8.7: refused streams and those above GOAWAY's last id were not processed.
      this.#forget(job);
      job.call.onEnd = undefined;
      this.#events.onUnprocessed(job, beyondGoaway ? 'session-ends' : 'refused');
      return;
    }
    // The status counts even if the body was cut off.
    answer();
    job.call.settle(FAILED.connection);
  }

  #forget(job: Job): void {
    if (!this.#jobs.delete(job)) return;
    if (this.#draining && this.#jobs.size === 0) this.destroy();
    else this.#events.onRoom();
  }

  #onSettings(): void {
    if (this.#closed) return;
    clearTimeout(this.#connectTimer);
    if (this.#ready) {
      this.#events.onRoom();
      return;
    }
    this.#ready = true;
    this.#ticker = setInterval(() => this.#tick(), this.#options.busyPingMs);
    this.#events.onReady();
  }

  #onGoaway(code: number, lastStreamId: number): void {
    this.#goawayLastStreamId = lastStreamId;
    this.#tornDown ||= code !== constants.NGHTTP2_NO_ERROR;
    if (this.#draining) return;
    this.#draining = true;
    this.#events.onDraining(code);
    if (this.#jobs.size === 0) this.destroy();
  }

  /** One ticker instead of a timer that each request moves on: under load such a timer would never fire. */
  #tick(): void {
    const quietMs = performance.now() - this.#lastPingAtMs;
    if (this.#jobs.size > 0 || quietMs >= this.#options.idlePingMs) this.#ping();
  }

  #ping(): void {
    if (this.#closed || !this.#ready || this.#pingTimer !== undefined) return;
    this.#lastPingAtMs = performance.now();
    this.#pingTimer = setTimeout(
      () => this.destroy(new Error('PING was not answered')),
      this.#options.pingTimeoutMs,
    );
    this.#session.ping(() => {
      clearTimeout(this.#pingTimer);
      this.#pingTimer = undefined;
    });
  }

  /** Ends the session; what it holds settles as `connection`. */
  destroy(cause?: Error): void {
    this.#cause ??= cause;
    this.#session.destroy();
    this.#onClose();
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#connectTimer);
    clearInterval(this.#ticker);
    clearTimeout(this.#pingTimer);
    for (const [job, stream] of [...this.#jobs]) {
      this.#onStreamClose(job, stream, () => undefined);
      if (this.#jobs.has(job)) job.call.settle(FAILED.connection);
    }
    this.#events.onClosed(this.#cause);
  }
}
