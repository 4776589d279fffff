import type { Exchange, ExchangeFailure } from './exchange.ts';
import type { Outcome } from './transport.ts';

/** Why a message can't be sent to a device; closed, so that it may be a metric label. */
export const REJECTED_REASONS = [
  'expired',
  'endpoint-not-allowed',
  'bad-keys',
  'bad-token',
  'invalid-message',
  'sender-mismatch',
  'too-large',
  'unexpected-status',
] as const;
export type RejectedReason = (typeof REJECTED_REASONS)[number];

/** Why nothing is known yet; closed, so that it may be a metric label. */
export const UNAVAILABLE_REASONS = [
  'aborted',
  'auth',
  'closed',
  'connection',
  'not-found',
  'no-token',
  'overloaded',
  'provider-error',
  'third-party-auth',
  'timeout',
  'unexpected-answer',
] as const;
export type UnavailableReason = (typeof UNAVAILABLE_REASONS)[number];

export function rejected(reason: RejectedReason): Outcome {
  return { kind: 'rejected', reason };
}

export function unavailable(reason: UnavailableReason, retryAfterMs: number): Outcome {
  return { kind: 'unavailable', reason, retryAfterMs };
}

/** What our own configuration causes (credentials, project) is looked at again after this time. */
export const CONFIGURATION_RETRY_MS = 60_000;
/** A link that failed says nothing about the provider: try again soon. */
export const CONNECTION_RETRY_MS = 1_000;
/** FCM, "Scale your FCM sends": wait at least ten seconds after a 5xx. Used for Web Push too. */
export const SERVER_ERROR_RETRY_MS = 10_000;
/** FCM, same page: a 429 without Retry-After means one minute. Used for Web Push too. */
export const THROTTLED_RETRY_MS = 60_000;

const OF_FAILURE: { readonly [Reason in ExchangeFailure]: Outcome } = {
  aborted: unavailable('aborted', CONNECTION_RETRY_MS),
  closed: unavailable('closed', CONNECTION_RETRY_MS),
  connection: unavailable('connection', CONNECTION_RETRY_MS),
  overloaded: unavailable('overloaded', CONNECTION_RETRY_MS),
  timeout: unavailable('timeout', CONNECTION_RETRY_MS),
};

/** The outcome of an exchange that brought no answer; the same object for all. */
export function outcomeOfFailure(failure: ExchangeFailure): Outcome {
  return OF_FAILURE[failure];
}

/** A longer wait than this is not believed: an alert would be over. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Retry-After (RFC 9110 section 10.2.3: seconds or an HTTP date) in milliseconds from now, bounded by an hour. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const seconds = /^\d{1,10}$/.test(text);
  // Date.parse alone would take "-5" for a date.
  if (!seconds && !/^[A-Z][a-z]{2}, .{1,30} GMT$/.test(text)) return undefined;
  const waitMs = seconds ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, waitMs));
}

export type Answer = Extract<Exchange, { kind: 'answer' }>;
