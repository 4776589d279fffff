import type { Exchange } from './exchange.ts';

/**
 * Headers that many requests share, besides `:method POST`, `:scheme https`, `:authority` and `:path`. One object is made
 * for each combination and handed in again and again: a client may keep what it worked out about it (a header block, a
 * place in the peer's table), so it is never changed. Names are in lower case; `content-length` is the client's matter.
 */
export type SharedHeaders = Readonly<Record<string, string>>;

/** One POST to the client's origin. */
export interface Post {
  /** With the query, in ASCII. */
  readonly path: string;
  readonly headers: SharedHeaders;
  /** The client's until the request has settled: it may be sent again when a session says that it did not process it. */
  readonly body: Uint8Array;
  /** Goes behind `body`: what many requests have in common is not copied for each of them. */
  readonly tail?: Uint8Array;
  /** Ends the request as `aborted`. One signal serves many requests: a client listens to it once, not per request. */
  readonly signal: AbortSignal;
}

/**
 * Many small POSTs to one origin, without a promise or a timer each. Three clients keep this contract: HTTP/2 with
 * frames of our own, HTTP/2 by `node:http2`, keep-alive HTTP/1.1.
 */
export interface PostClient {
  /**
   * Begins one request. `settle` is called once and only once, by the client's deadline at the latest, possibly before
   * `post` returns; it must not throw. Answers that carry nothing to read may share one object: don't change it.
   */
  post(post: Post, settle: (exchange: Exchange) => void): void;
  /** Requests that could be on the wire at once over the connections that are open now; 0 while there is none. */
  readonly capacity: number;
  /** Resolves when the first connection is open, or when the client is closed. Never rejects. */
  readonly ready: Promise<void>;
  /** Ends the connections; what is in flight settles as `closed`. */
  close(): Promise<void>;
}

/** Of the whole body, its tail with it. */
export function bodyLength({ body, tail }: Post): number {
  return tail === undefined ? body.length : body.length + tail.length;
}

/** In one piece, for clients that take nothing else. */
export function wholeBody({ body, tail }: Post): Uint8Array {
  return tail === undefined ? body : Buffer.concat([body, tail]);
}
