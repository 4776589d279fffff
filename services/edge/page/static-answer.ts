import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Request, Response } from 'express';

interface Variant {
  readonly body: Buffer;
  readonly etag: string;
}

/** A whole answer in memory, made once and sent to a crowd: as it is, and compressed where that helps. */
export interface StaticAnswer {
  readonly plain: Variant;
  readonly gzip: Variant | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Shorter ones fit into one packet anyway. */
const COMPRESS_FROM_BYTES = 1_000;

/** ETags are strong: hashes of the bytes (each variant has its own), so all edges agree on them. */
export function staticAnswer(
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>>,
): StaticAnswer {
  const bytes = Buffer.from(body);
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  const gzip =
    bytes.length < COMPRESS_FROM_BYTES
      ? undefined
      : { body: gzipSync(bytes, { level: 9 }), etag: `"${hash}-gzip"` };
  return { plain: { body: bytes, etag: `"${hash}"` }, gzip, headers };
}

/** Sends it, or 304 to whoever has it already (RFC 9110 section 13.1.2). */
export function sendStatic(request: Request, response: Response, answer: StaticAnswer): void {
  const zipped = answer.gzip !== undefined && request.acceptsEncodings('gzip') === 'gzip';
  const variant = (zipped ? answer.gzip : undefined) ?? answer.plain;
  response.set(answer.headers).set('ETag', variant.etag);
  if (answer.gzip) response.vary('Accept-Encoding');
  if (hasAlready(request.headers['if-none-match'], variant.etag)) {
    response.status(304).end();
    return;
  }
  if (zipped) response.set('Content-Encoding', 'gzip');
  response.end(variant.body);
}

function hasAlready(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch
    .split(',')
    .some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);
}
