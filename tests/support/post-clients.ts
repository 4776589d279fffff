import type { Exchange } from '../../services/dispatcher/transports/exchange.ts';
import { FramedPool } from '../../services/dispatcher/transports/framed-http2/framed-pool.ts';
import { Http2Pool } from '../../services/dispatcher/transports/http2-pool.ts';
import {
  HTTP2_POOL_DEFAULTS,
  type Http2PoolOptions,
} from '../../services/dispatcher/transports/http2-pool-options.ts';
import type { Post, PostClient } from '../../services/dispatcher/transports/post-client.ts';
import { posted } from '../../services/dispatcher/transports/test-support/promised.ts';

type OpenableClient = PostClient & { readonly openSessions: number };

/** The HTTP/2 clients that keep one contract; the same promises are asked of each. */
const MAKERS = {
  'frames of our own': FramedPool,
  'node:http2': Http2Pool,
} as const;

export type ClientName = keyof typeof MAKERS;
export const CLIENT_NAMES = Object.keys(MAKERS) as ClientName[];

export interface ClientUnderTest {
  readonly client: OpenableClient;
  /** What `onConnection` said. */
  readonly events: string[];
  readonly post: (path?: string, change?: Partial<Post>) => Promise<Exchange>;
}

const never = new AbortController().signal;
/** One object for all, as the transports have it. */
const SHARED = { authorization: 'vapid t=token, k=key', ttl: '60', urgency: 'high' };

/** Two sessions and quick reconnects, but for what the test wants otherwise. */
export function openClient(
  name: ClientName,
  origin: string,
  options: Partial<Http2PoolOptions>,
): ClientUnderTest {
  const events: string[] = [];
  const client = new MAKERS[name](
    {
      ...HTTP2_POOL_DEFAULTS,
      sessions: 2,
      reconnect: { firstMs: 10, maxMs: 50 },
      ...options,
      origin,
    },
    { random: Math.random, onConnection: (event, detail) => events.push(`${event}: ${detail}`) },
  );
  const post = (path = '/x', change: Partial<Post> = {}) =>
    posted(client, {
      path,
      headers: SHARED,
      body: Buffer.from(`body of ${path}`),
      signal: never,
      ...change,
    });
  return { client, events, post };
}

/** A status, or why there is none. */
export const summaryOf = (exchange: Exchange): string =>
  exchange.kind === 'answer' ? String(exchange.status) : exchange.reason;

/** How many ended how. */
export async function tally(
  requests: readonly Promise<Exchange>[],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const exchange of await Promise.all(requests))
    counts[summaryOf(exchange)] = (counts[summaryOf(exchange)] ?? 0) + 1;
  return counts;
}

export const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
