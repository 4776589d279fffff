import { z } from 'zod';
import { FramedPool } from './framed-http2/framed-pool.ts';
import { Http2Pool } from './http2-pool.ts';
import { HTTP2_POOL_DEFAULTS, type Http2PoolDeps } from './http2-pool-options.ts';
import type { PostClient } from './post-client.ts';

/**
 * Which HTTP/2 client carries the messages: `framed`, with frames of our own, made for many small POSTs; `node`, by
 * `node:http2`. Both keep the contract of {@link PostClient} and pass the same conformance and fault tests.
 */
export const PostClientChoice = z.enum(['framed', 'node']);
export type PostClientChoice = z.infer<typeof PostClientChoice>;

export interface Http2ClientOptions {
  /** `https://host[:port]` */
  readonly origin: string;
  readonly sessions: number;
  /** Default: that of the pools. */
  readonly deadlineMs?: number;
  /** A certificate authority besides the system's, as PEM. */
  readonly ca?: string;
}

/** Opens the chosen client's sessions to one origin. */
export function openHttp2Client(
  choice: PostClientChoice,
  { ca, ...options }: Http2ClientOptions,
  deps: Http2PoolDeps,
): PostClient {
  const tls = ca === undefined ? {} : { ca };
  const Pool = { framed: FramedPool, node: Http2Pool }[choice];
  return new Pool({ ...HTTP2_POOL_DEFAULTS, ...options, tls }, deps);
}
