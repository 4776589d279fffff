import type { RequestHandler } from 'express';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { EdgeEvents } from '../events.ts';
import type { AddressLimit } from './address-limit.ts';

/** Seconds to wait, spread so that a crowd that was turned away does not come back as one. */
export function retryAfterSeconds(random: () => number, least = 2, spread = 8): number {
  return least + Math.floor(random() * (spread + 1));
}

/**
 * Lets at most `limit` requests in at a time; the rest is told at once when to come again (P10: the public side sheds
 * first, and a queue here would only hide the crowd).
 */
export function limitInFlight(
  limit: number,
  onShed: () => void,
  random: () => number,
): RequestHandler {
  let inFlight = 0;
  return (_request, response, next) => {
    if (inFlight >= limit) {
      onShed();
      throw new ProblemError(503, 'busy', 'Too many people at this moment', {
        action: 'Wait as long as Retry-After says, then send again',
        retryAfterSeconds: retryAfterSeconds(random),
      });
    }
    inFlight++;
    response.once('close', () => {
      inFlight--;
    });
    next();
  };
}

/** Slows one address down (robots) with 429 and the time to wait. */
export function limitPerAddress(
  limit: AddressLimit,
  { events, now }: { events: EdgeEvents; now: Clock },
): RequestHandler {
  return (request, _response, next) => {
    const waitSeconds = limit(request.ip ?? '', now());
    if (waitSeconds > 0) {
      events.registration('limited');
      throw new ProblemError(429, 'too-many-requests', 'Too many registrations from this address', {
        action: 'Wait as long as Retry-After says, then send again',
        retryAfterSeconds: waitSeconds,
      });
    }
    next();
  };
}
