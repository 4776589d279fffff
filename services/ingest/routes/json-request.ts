import { createHash } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { canonicalJson } from '../../../shared/envelope/canonical-json.ts';
import { jsonBody } from '../../../shared/http/app.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { IdempotencyUse } from '../lanes/outbox.ts';

/** CAP in JSON nests six deep; what nests much deeper is meant to exhaust whoever walks it. */
const MAX_DEPTH = 20;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

/** A JSON body of at most `limitBytes` and of application/json alone, not nested without end. */
export function onlyJson(limitBytes: number): RequestHandler[] {
  return [
    (request, _response, next) => {
      if (request.is('application/json') === false)
        throw new ProblemError(
          415,
          'unsupported-media-type',
          'Only application/json is taken here',
          {
            action: 'Send CAP as JSON with Content-Type: application/json',
          },
        );
      next();
    },
    jsonBody(limitBytes),
    (request, _response, next) => {
      if (deeperThan(request.body, MAX_DEPTH))
        throw new ProblemError(400, 'invalid-json', 'The body is nested too deeply', {
          action: `Send a CAP message; nothing in it nests deeper than ${MAX_DEPTH}`,
        });
      next();
    },
  ];
}

function deeperThan(body: unknown, limit: number): boolean {
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((item) =>
      item !== null && typeof item === 'object' ? Object.values(item) : [],
    );
  }
  return false;
}

/** The Idempotency-Key of a request with a hash of what is asked, if there is one. */
export function idempotencyOf(request: Request, apiKeyId: string): IdempotencyUse | undefined {
  const key = request.get('Idempotency-Key');
  if (key === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(key))
    throw new ProblemError(400, 'invalid-idempotency-key', 'The Idempotency-Key is not valid', {
      action: 'Use 1 to 200 printable characters without spaces, a UUID for instance',
    });
  const asked = canonicalJson([request.path, request.body ?? null]);
  return { apiKeyId, key, requestHash: createHash('sha256').update(asked).digest('base64url') };
}
