import type { ProviderAnswer } from './provider-answer.ts';

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const QUOTA_FAILURE = 'type.googleapis.com/google.rpc.QuotaFailure';

type Detail = Readonly<Record<string, unknown>>;

const fcmError = (errorCode: string): Detail => ({ '@type': FCM_ERROR, errorCode });

function failure(
  code: number,
  status: string,
  message: string,
  details: readonly Detail[],
  headers: Readonly<Record<string, string>> = {},
): ProviderAnswer {
  const error = { code, message, status, ...(details.length === 0 ? {} : { details }) };
  return { status: code, headers, body: { error } };
}

/** 401, without a bearer token or with one that is unknown or past. */
export function unauthenticated(given: boolean): ProviderAnswer {
  const rest =
    'Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.';
  const message = given
    ? `Request had invalid authentication credentials. ${rest}`
    : `Request is missing required authentication credential. ${rest}`;
  const reason = given ? 'ACCESS_TOKEN_TYPE_UNSUPPORTED' : 'CREDENTIALS_MISSING';
  const info = { '@type': ERROR_INFO, reason, domain: 'googleapis.com' };
  return failure(401, 'UNAUTHENTICATED', message, [info], {
    'www-authenticate': 'Bearer realm="https://accounts.google.com/"',
  });
}

/** 403: the account may not send for this project. */
export function permissionDenied(project: string): ProviderAnswer {
  const permission = 'cloudmessaging.messages.create';
  const resource = `//cloudresourcemanager.googleapis.com/projects/${project}`;
  return failure(
    403,
    'PERMISSION_DENIED',
    `Permission '${permission}' denied on resource '${resource}' (or it may not exist).`,
    [
      {
        '@type': ERROR_INFO,
        reason: 'IAM_PERMISSION_DENIED',
        domain: 'cloudresourcemanager.googleapis.com',
        metadata: { resource: `projects/${project}`, permission },
      },
    ],
  );
}

/** 403: the token belongs to an app of another project. */
export function senderIdMismatch(): ProviderAnswer {
  return failure(403, 'PERMISSION_DENIED', 'SenderId mismatch', [fcmError('SENDER_ID_MISMATCH')]);
}

/** 404: the app is no longer on the device, or the token has been replaced. */
export function unregistered(): ProviderAnswer {
  return failure(404, 'NOT_FOUND', 'Requested entity was not found.', [fcmError('UNREGISTERED')]);
}

export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** 400: the message is wrong in the named fields. */
export function invalidArgument(
  message: string,
  violations: readonly FieldViolation[] = [],
): ProviderAnswer {
  return failure(400, 'INVALID_ARGUMENT', message, [
    fcmError('INVALID_ARGUMENT'),
    ...(violations.length === 0 ? [] : [{ '@type': BAD_REQUEST, fieldViolations: violations }]),
  ]);
}

const retryAfter = (seconds: number | null): Record<string, string> =>
  seconds === null ? {} : { 'retry-after': String(seconds) };

/** 429: the project's quota for a minute, or the rate to one device, is used up. */
export function quotaExceeded(
  scope: 'project' | 'device',
  project: string,
  retryAfterSeconds: number | null,
): ProviderAnswer {
  const whole = scope === 'project';
  const message = whole
    ? `Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute' of service 'fcm.googleapis.com' for consumer 'projects/${project}'.`
    : 'Device message rate exceeded: too many messages were sent to this device.';
  const violation = whole
    ? { subject: `project:${project}`, description: 'Send requests per minute per project' }
    : { subject: 'device', description: 'Message rate of a single device exceeded' };
  const info = {
    '@type': ERROR_INFO,
    reason: 'RATE_LIMIT_EXCEEDED',
    domain: 'googleapis.com',
    metadata: { consumer: `projects/${project}`, service: 'fcm.googleapis.com' },
  };
  return failure(
    429,
    'RESOURCE_EXHAUSTED',
    message,
    [
      fcmError('QUOTA_EXCEEDED'),
      { '@type': QUOTA_FAILURE, violations: [violation] },
      ...(whole ? [info] : []),
    ],
    retryAfter(retryAfterSeconds),
  );
}

/** 500, 502 or 503: FCM itself fails. */
export function fcmUnavailable(
  status: 500 | 502 | 503,
  retryAfterSeconds: number | null,
): ProviderAnswer {
  if (status === 500)
    return failure(500, 'INTERNAL', 'Internal error encountered.', [fcmError('INTERNAL')]);
  // Google's front end answers a 502 by itself, in HTML; nothing of FCM is in it.
  if (status === 502) return { status, headers: {} };
  return failure(
    503,
    'UNAVAILABLE',
    'The service is currently unavailable.',
    [fcmError('UNAVAILABLE')],
    retryAfter(retryAfterSeconds),
  );
}
