import { connect, type TLSSocket } from 'node:tls';
import type { Http2PoolOptions } from '../http2-pool-options.ts';
import { socketAddress } from '../origin.ts';
import type { Post } from '../post-client.ts';
import { ClientProtocol, type ProtocolEvents } from './client-protocol.ts';
import { CODE, type ErrorCode } from './frame.ts';

export interface SessionOptions
  extends Pick<
    Http2PoolOptions,
    'origin' | 'connectTimeoutMs' | 'busyPingMs' | 'idlePingMs' | 'pingTimeoutMs' | 'tls'
  > {
  /** Never more streams than this at once, whatever the peer allows. */
  readonly maxStreams: number;
}

export interface SessionEvents
  extends Pick<
    ProtocolEvents,
    'onSettled' | 'onUnprocessed' | 'onReady' | 'onRoom' | 'onDraining'
  > {
  /** The session is over and holds nothing any more. */
  readonly onClosed: (cause: Error) => void;
}

/** The server is there, and its certificate is good, but it speaks HTTP/1.1 only. */
export class NoHttp2Error extends Error {
  override readonly name = 'NoHttp2Error';

  constructor() {
    super('the server does not speak HTTP/2');
  }
}

/** Written, but not taken by the network; a peer that lets more pile up (PINGs without end, say) is not worth serving. */
const MAX_UNSENT_BYTES = 1 << 20;
/** From here on the socket says "enough for now". */
const HIGH_WATER_BYTES = 1 << 18;
/** For the last frames to go out. */
const LINGER_MS = 500;
/** Node gives the TLS alert by this code when the server has no protocol in common with us (RFC 7301 section 3.2). */
const NO_APPLICATION_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** A `ClientProtocol` on a TLS socket, with its timers: connecting, PINGs, the end. */
export class FramedSession {
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #protocol: ClientProtocol;
  readonly #socket: TLSSocket;
  readonly #connectTimer: NodeJS.Timeout;
  #ticker: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #lastPingAtMs = performance.now();
  #isConnected = false;
  #isOver = false;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    const flush = () => this.#protocol.out.flush();
    this.#protocol = new ClientProtocol(
      { authority: new URL(options.origin).host, maxStreams: options.maxStreams },
      {
        ...events,
        onReady: () => this.#onReady(),
        onPong: () => this.#onPong(),
      },
      {
        write: (bytes) => this.#write(bytes),
        // What the socket holds and what TLS has not encrypted yet counts; what is encrypted is a copy.
        isIdle: () => this.#socket.writableLength === 0,
        onPending: () => setImmediate(flush),
      },
    );
    this.#socket = open(options);
    this.gone = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    this.#connectTimer = setTimeout(
      () => this.destroy(new Error('no connection in time')),
      options.connectTimeoutMs,
    );
    this.#listen();
  }

  /** How many more requests it can take now. */
  get room(): number {
    return this.#protocol.room;
  }

  /** Streams that may be open at once; 0 while it can't be used. */
  get capacity(): number {
    return this.#protocol.capacity;
  }

  get isUsable(): boolean {
    return this.#protocol.isUsable;
  }

  /** It ends with its last answer, and for no error. */
  get endsInPeace(): boolean {
    return this.#protocol.isDraining && !this.#protocol.isTornDown;
  }

  /** Requests that it brought an answer for. */
  get answered(): number {
    return this.#protocol.answered;
  }

  /** Writes a request; the caller has looked at `room`. Returns the place by which it can be cancelled. */
  take(request: number, post: Post): number {
    return this.#protocol.take(request, post);
  }

  /** Nobody waits for this answer any more. */
  cancel(place: number): void {
    this.#protocol.cancel(place);
    this.#endWhenDrained();
  }

  /** A request that was not answered in time is the first sign of a dead session: ask at once. */
  suspect(): void {
    this.#ping();
  }

  /** Says goodbye. What it holds settles as `connection`. */
  end(code: ErrorCode, cause: Error): void {
    if (this.#isOver) return;
    if (!this.#isConnected) {
      this.destroy(cause);
      return;
    }
    this.#settle(code);
    this.#protocol.out.flush();
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(timer));
    this.#events.onClosed(cause);
  }

  /** Ends it without a word. What it holds settles as `connection`. */
  destroy(cause: Error): void {
    if (this.#isOver) return;
    this.#socket.destroy();
    this.#settle(CODE.NO_ERROR);
    this.#events.onClosed(cause);
  }

  #settle(code: ErrorCode): void {
    this.#isOver = true;
    clearTimeout(this.#connectTimer);
    clearInterval(this.#ticker);
    clearTimeout(this.#pingTimer);
    this.#protocol.end(code);
  }

  #listen(): void {
    let cause: Error | undefined;
    const socket = this.#socket;
    socket.once('secureConnect', () => this.#onConnect());
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => {
      this.#protocol.isBlocked = false;
      this.#events.onRoom();
    });
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code === NO_APPLICATION_PROTOCOL) cause = new NoHttp2Error();
      // Where several addresses were tried, only the code says something.
      else cause = error.message === '' ? new Error(error.code ?? 'no connection') : error;
    });
    socket.once('end', () => this.destroy(new Error('ended by the peer')));
    socket.once('close', () => this.destroy(cause ?? new Error('closed')));
  }

  #onConnect(): void {
    if (this.#isOver) return;
    if (this.#socket.alpnProtocol !== 'h2') {
      this.destroy(new NoHttp2Error());
      return;
    }
    this.#isConnected = true;
    this.#socket.setNoDelay(true);
    this.#protocol.start();
  }

  #onData(chunk: Buffer): void {
    if (this.#isOver) return;
    const error = this.#protocol.receive(chunk);
    if (error === CODE.NO_ERROR) this.#endWhenDrained();
    else this.end(error, new Error(`the peer broke the protocol: error ${error}`));
  }

  #endWhenDrained(): void {
    const { isDraining, isTornDown, count } = this.#protocol;
    if (isDraining && (isTornDown || count === 0)) this.end(CODE.NO_ERROR, new Error('drained'));
  }

  #write(bytes: Buffer): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (!this.#socket.write(bytes)) this.#protocol.isBlocked = true;
    // Not at once: this may be in the middle of a frame's handling.
    if (this.#socket.writableLength > MAX_UNSENT_BYTES)
      setImmediate(() => this.destroy(new Error('the peer does not read')));
  }

  #onReady(): void {
    clearTimeout(this.#connectTimer);
    this.#ticker = setInterval(() => this.#tick(), this.#options.busyPingMs);
    this.#events.onReady();
  }

  /** One ticker instead of a timer that each request moves on: under load such a timer would never fire. */
  #tick(): void {
    const quietMs = performance.now() - this.#lastPingAtMs;
    if (this.#protocol.count > 0 || quietMs >= this.#options.idlePingMs) this.#ping();
  }

  #ping(): void {
    if (this.#isOver || this.#ticker === undefined || this.#pingTimer !== undefined) return;
    this.#lastPingAtMs = performance.now();
    this.#pingTimer = setTimeout(
      () => this.destroy(new Error('PING was not answered')),
      this.#options.pingTimeoutMs,
    );
    this.#protocol.ping();
  }

  #onPong(): void {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = undefined;
  }
}

function open({ origin, tls }: SessionOptions): TLSSocket {
  const options = {
    ...socketAddress(origin),
    ...tls,
    ALPNProtocols: ['h2'],
    // Handed on to the socket's streams, which the types do not know.
    highWaterMark: HIGH_WATER_BYTES,
  };
  return connect(options);
}
