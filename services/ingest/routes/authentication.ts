import type { Request, RequestHandler } from 'express';
import { bearerToken } from '../../../shared/http/bearer.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { IngestEvents } from '../events.ts';
import type { ApiKey } from '../keys/api-keys.ts';
import { authenticate } from '../keys/authenticate.ts';

/** Lets through who has an API key, before a byte of the body is read; `keyOf` says whose it was. */
export function createAuthentication(
  keys: readonly ApiKey[],
  deps: {
    clock: Clock;
    events: Pick<IngestEvents, 'refused'>;
    onUsed?: (keyId: string) => void;
  },
): { requireKey: RequestHandler; keyOf: (request: Request) => ApiKey } {
  const known = new WeakMap<Request, ApiKey>();
  return {
    requireKey(request, response, next) {
      const result = authenticate(bearerToken(request.headers.authorization), keys, deps.clock());
      if (result.kind === 'known') {
        known.set(request, result.key);
        deps.onUsed?.(result.key.id);
        next();
        return;
      }
      deps.events.refused('not-authenticated', {});
      response.set('WWW-Authenticate', 'Bearer');
      throw result.kind === 'expired' ? expired(result.expiresAt) : unknown();
    },
    keyOf(request) {
      const key = known.get(request);
      if (!key) throw new Error('a route is missing requireKey');
      return key;
    },
  };
}

function expired(expiresAt: string): ProblemError {
  return new ProblemError(401, 'key-expired', 'This API key has expired', {
    detail: `It was valid until ${expiresAt}`,
    action: 'Use the key that replaced it, or ask the operators for a new one',
  });
}

function unknown(): ProblemError {
  return new ProblemError(401, 'not-authenticated', 'No valid API key was given', {
    action: 'Send the header Authorization: Bearer <API key>',
  });
}
