import type { ConnectionOptions } from 'node:tls';

/** Of a pool of HTTP/2 sessions to one origin, whoever frames them. */
export interface Http2PoolOptions {
  /** `https://host[:port]` */
  readonly origin: string;
  /** Sessions that are kept open. */
  readonly sessions: number;
  /** The most requests that may wait for a stream; more are answered `overloaded`. */
  readonly maxQueued: number;
  readonly deadlineMs: number;
  readonly connectTimeoutMs: number;
  /** Between two PINGs while answers are awaited. */
  readonly busyPingMs: number;
  /** Between two PINGs on a quiet session; keeps it warm and finds out that it died. */
  readonly idlePingMs: number;
  /** A PING that is not answered within this time means that the session is dead. */
  readonly pingTimeoutMs: number;
  /** Never more streams than this at once, whatever the peer allows. */
  readonly maxStreamsPerSession: number;
  /** With no session for this long, what waits fails, and so does what comes, until one is there. */
  readonly downAfterMs: number;
  readonly reconnect: { readonly firstMs: number; readonly maxMs: number };
  readonly tls: Pick<ConnectionOptions, 'ca' | 'servername'>;
}

export const HTTP2_POOL_DEFAULTS = {
  sessions: 6,
  maxQueued: 2_000,
  deadlineMs: 9_000,
  connectTimeoutMs: 5_000,
  busyPingMs: 4_000,
  idlePingMs: 45_000,
  pingTimeoutMs: 3_000,
  maxStreamsPerSession: 200,
  downAfterMs: 3_000,
  reconnect: { firstMs: 200, maxMs: 10_000 },
  tls: {},
} as const satisfies Omit<Http2PoolOptions, 'origin'>;

export interface Http2PoolDeps {
  /** In [0, 1). */
  readonly random: () => number;
  readonly onConnection: (event: 'opened' | 'draining' | 'lost', detail: string) => void;
}
