import { STATUS_CODES } from 'node:http';
import type { ProviderAnswer } from './provider-answer.ts';

const MORE_INFO = 'http://autopush.readthedocs.io/en/latest/http.html#error-codes';

/** An error as Mozilla's autopush writes it (mozilla-services.github.io/autopush-rs/errors.html). */
export function webPushError(
  status: number,
  errno: number | null,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ProviderAnswer {
  return {
    status,
    headers,
    body: { code: status, errno, error: STATUS_CODES[status] ?? '', message, more_info: MORE_INFO },
  };
}

export const unknownEndpoint = () => webPushError(404, 102, 'Invalid token');

/** 410: the person unsubscribed (106), or the whole user was reset (103). */
export const goneEndpoint = (reason: 'unregistered' | 'user-reset') =>
  webPushError(
    410,
    reason === 'unregistered' ? 106 : 103,
    reason === 'unregistered' ? 'No such subscription' : 'UAID not found',
    { 'cache-control': 'max-age=86400' },
  );

export const unauthorised = (message: string, status: 401 | 403 = 401) =>
  webPushError(status, 109, message, { 'www-authenticate': 'vapid' });

const retryAfter = (seconds: number | null): Record<string, string> =>
  seconds === null ? {} : { 'retry-after': String(seconds) };

export const tooManyRequests = (retryAfterSeconds: number | null) =>
  webPushError(429, 201, 'Too many requests', retryAfter(retryAfterSeconds));

export function webPushUnavailable(
  status: 500 | 502 | 503,
  retryAfterSeconds: number | null,
): ProviderAnswer {
  if (status === 500) return webPushError(500, 999, 'Unknown error');
  if (status === 502) return webPushError(502, 902, 'Bridge could not be reached');
  return webPushError(503, 201, 'Service temporarily unavailable', retryAfter(retryAfterSeconds));
}
