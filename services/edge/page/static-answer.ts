import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';

/** A whole answer in memory, made once and sent to a crowd. */
export interface StaticAnswer {
  readonly body: Buffer;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** `etag` is strong: the hash of the bytes, so all edges agree on it. */
export function staticAnswer(
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>>,
): StaticAnswer {
  const bytes = Buffer.from(body);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { body: bytes, etag, headers };
}

/** Sends it, or 304 to whoever has it already (RFC 9110 section 13.1.2). */
export function sendStatic(request: Request, response: Response, answer: StaticAnswer): void {
  response.set(answer.headers).set('ETag', answer.etag);
  if (hasAlready(request.headers['if-none-match'], answer.etag)) {
    response.status(304).end();
    return;
  }
  response.end(answer.body);
}

function hasAlready(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch
    .split(',')
    .some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);
}
