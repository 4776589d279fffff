import { z } from 'zod';
import {
  type Answer,
  CONFIGURATION_RETRY_MS,
  rejected,
  retryAfterMs,
  SERVER_ERROR_RETRY_MS,
  THROTTLED_RETRY_MS,
  unavailable,
} from '../outcome.ts';
import type { Outcome } from '../transport.ts';

/** https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, as far as we act on it. */
const ErrorBody = z.object({
  error: z.object({
    status: z.string().optional().catch(undefined),
    details: z.array(z.unknown()).optional().catch(undefined),
  }),
});

/** The kinds of `error.details` that FCM documents; unknown ones are skipped. */
const ErrorDetail = z.union([
  z.object({
    '@type': z.literal('type.googleapis.com/google.firebase.fcm.v1.FcmError'),
    errorCode: z.string(),
  }),
  z.object({
    '@type': z.literal('type.googleapis.com/google.rpc.QuotaFailure'),
    violations: z.array(
      z.object({ subject: z.string().optional(), description: z.string().optional() }),
    ),
  }),
  z.object({
    '@type': z.literal('type.googleapis.com/google.rpc.BadRequest'),
    fieldViolations: z.array(z.object({ field: z.string().optional() })),
  }),
]);

interface FcmError {
  /** FCM's own code when there is one, else the canonical `status`. */
  readonly code: string | undefined;
  readonly badToken: boolean;
  readonly quotaScope: 'device' | 'project';
}

/** True when an access token was refused (and not APNs' or the browser's credentials behind FCM). */
export function refusesAccessToken(answer: Answer): boolean {
  return answer.status === 401 && readError(answer.body).code !== 'THIRD_PARTY_AUTH_ERROR';
}

/**
 * FCM's answer → outcome. Pure. Rules: "Scale your FCM sends" (400, 401, 403, 404 are not repeated as they are; 429
 * waits for Retry-After or a minute; 5xx waits at least 10 s) and promise P9 (only UNREGISTERED is `gone`; a bare 404
 * may as well be a wrong project or path).
 */
export function fcmOutcome(answer: Answer, nowMs: number): Outcome {
  const { status } = answer;
  if (status === 200) return { kind: 'accepted' };
  const waitMs = retryAfterMs(answer.retryAfter, nowMs);
  if (status >= 500)
    return unavailable('provider-error', Math.max(SERVER_ERROR_RETRY_MS, waitMs ?? 0));
  const error = readError(answer.body);
  if (status === 429)
    return {
      kind: 'throttled',
      scope: error.quotaScope,
      retryAfterMs: waitMs ?? THROTTLED_RETRY_MS,
    };
  return status >= 400
    ? clientErrorOutcome(status, error)
    : unavailable('unexpected-answer', CONFIGURATION_RETRY_MS);
}

function clientErrorOutcome(status: number, error: FcmError): Outcome {
  if (error.code === 'UNREGISTERED') return { kind: 'gone' };
  if (error.code === 'SENDER_ID_MISMATCH') return rejected('sender-mismatch');
  if (error.code === 'THIRD_PARTY_AUTH_ERROR')
    return unavailable('third-party-auth', CONFIGURATION_RETRY_MS);
  switch (status) {
    case 400:
      return rejected(error.badToken ? 'bad-token' : 'invalid-message');
    case 401:
    case 403:
      return unavailable('auth', CONFIGURATION_RETRY_MS);
    case 404:
    case 410:
      return unavailable('not-found', CONFIGURATION_RETRY_MS);
    case 408:
      return unavailable('provider-error', SERVER_ERROR_RETRY_MS);
    case 413:
      return rejected('too-large');
    default:
      return rejected('unexpected-status');
  }
}

function readError(body: string): FcmError {
  const unknown: FcmError = { code: undefined, badToken: false, quotaScope: 'project' };
  const parsed = ErrorBody.safeParse(parseJson(body));
  if (!parsed.success) return unknown;
  let { code, badToken, quotaScope }: FcmError = {
    ...unknown,
    code: parsed.data.error.status,
  };
  for (const raw of parsed.data.error.details ?? []) {
    const detail = ErrorDetail.safeParse(raw);
    if (!detail.success) continue;
    if ('errorCode' in detail.data) code = detail.data.errorCode;
    else if ('violations' in detail.data) quotaScope = scopeOf(detail.data.violations);
    else badToken = detail.data.fieldViolations.some(({ field }) => field === 'message.token');
  }
  return { code, badToken, quotaScope };
}

/**
 * A project's quota slows everybody, so it is assumed unless every violation is about the device. The subject is free
 * text by google.rpc's definition; FCM names what the limit is of.
 */
function scopeOf(
  violations: readonly {
    subject?: string | undefined;
    description?: string | undefined;
  }[],
): 'device' | 'project' {
  const aboutDevice = violations.map(({ subject, description }) =>
    /device|registration token/i.test(`${subject} ${description}`),
  );
  return aboutDevice.length > 0 && aboutDevice.every(Boolean) ? 'device' : 'project';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
