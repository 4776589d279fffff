import type { Exchange } from '../exchange.ts';
import {
  type Answer,
  CONFIGURATION_RETRY_MS,
  outcomeOfFailure,
  rejected,
  retryAfterMs,
  SERVER_ERROR_RETRY_MS,
  THROTTLED_RETRY_MS,
  unavailable,
} from '../outcome.ts';
import type { Outcome } from '../transport.ts';

const ACCEPTED: Outcome = { kind: 'accepted' };

/** The same of any exchange. */
export function webPushOutcomeOf(exchange: Exchange, nowMs: number): Outcome {
  if (exchange.kind === 'failed') return outcomeOfFailure(exchange.reason);
  return webPushOutcome(exchange, nowMs);
}

/**
 * A push service's answer → outcome. Pure. RFC 8030: 201 (or 202) is taken, 404 an expired subscription (7.3; services
 * use 410 as well), 413 too long (7.2), 429 too many (8.4). Windows says 406 for 429. A refused VAPID token (401, 403)
 * says nothing about the device: the subscription stays, and another node may do better. Throttling is about the
 * device: push services are many, and one that is busy must not slow the others.
 */
export function webPushOutcome(answer: Answer, nowMs: number): Outcome {
  const waitMs = retryAfterMs(answer.retryAfter, nowMs);
  switch (answer.status) {
    case 200:
    case 201:
    case 202:
    case 204:
      return ACCEPTED;
    case 404:
    case 410:
      return { kind: 'gone' };
    case 406:
    case 429:
      return { kind: 'throttled', scope: 'device', retryAfterMs: waitMs ?? THROTTLED_RETRY_MS };
    case 401:
    case 403:
      return unavailable('auth', CONFIGURATION_RETRY_MS);
    case 408:
    case 425:
      return unavailable('provider-error', Math.max(SERVER_ERROR_RETRY_MS, waitMs ?? 0));
    case 400:
      return rejected('invalid-message');
    case 413:
      return rejected('too-large');
  }
  if (answer.status >= 500)
    return unavailable('provider-error', Math.max(SERVER_ERROR_RETRY_MS, waitMs ?? 0));
  if (answer.status >= 400) return rejected('unexpected-status');
  // Redirects are not followed: an endpoint is an address that a stranger gave us.
  return unavailable('unexpected-answer', CONFIGURATION_RETRY_MS);
}
