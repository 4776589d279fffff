import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { ProblemError } from './problem.ts';

/** The token of an `Authorization: Bearer …` header. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,500})$/.exec(header ?? '')?.[1];
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** Compares in a time that does not depend on where two secrets differ. */
function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}

/** Whether a request carries the token. */
export function holdsToken(request: Pick<Request, 'headers'>, token: string): boolean {
  const given = bearerToken(request.headers.authorization);
  return given !== undefined && sameSecret(given, token);
}

/** Lets through only who knows the token that this system's services share. */
export function requireToken(token: string): RequestHandler {
  return (request, _response, next) => {
    if (!holdsToken(request, token))
      throw new ProblemError(
        401,
        'not-authenticated',
        'This address is for the system’s own services',
      );
    next();
  };
}
