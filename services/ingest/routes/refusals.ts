import type { AlertProblem } from '../../../shared/alert/check-alert.ts';
import { ProblemError } from '../../../shared/http/problem.ts';

/** What a client is told when its alert does not go out. Each says what to do now. */

export function notAcceptable(authority: boolean, problems: readonly AlertProblem[]): ProblemError {
  return authority
    ? new ProblemError(403, 'not-authorised', 'This key may not send this alert', {
        errors: problems,
        action:
          'Correct what is listed in errors; for more rights ask the operators. Nothing was sent',
      })
    : new ProblemError(422, 'invalid-alert', 'The alert is not valid', {
        errors: problems,
        action: 'Correct the fields listed in errors and send again. Nothing was sent',
      });
}

export function identityConflict(identifier: string, where: string): ProblemError {
  return new ProblemError(409, 'conflict', 'Another message with this identity exists', {
    detail: `Identifier ${identifier} of this sender and this sent is known (at ${where}) with another content`,
    action:
      'To change an alert that was sent, send an Update; for another alert, use another identifier',
  });
}

export function idempotencyConflict(): ProblemError {
  return new ProblemError(
    409,
    'idempotency-conflict',
    'This Idempotency-Key was used for another request',
    {
      action: 'Repeat the first request unchanged, or use a new key for a new request',
    },
  );
}

export function notStored(
  identity: { identifier: string; sent: string },
  otherIngests: readonly string[],
): ProblemError {
  const other =
    otherIngests.length === 0 ? '' : `, or send it to the other site: ${otherIngests.join(' or ')}`;
  return new ProblemError(503, 'not-stored', 'No site confirmed that it has the alert', {
    detail: `It may have gone out all the same (identifier ${identity.identifier}, sent ${identity.sent})`,
    action: `Repeat the same message with the same identifier and sent, which is shown once however often it arrives${other}`,
    retryAfterSeconds: 1,
  });
}

export function notWritten(otherIngests: readonly string[]): ProblemError {
  const other =
    otherIngests.length === 0
      ? 'Call the on-call engineer'
      : `Send it to ${otherIngests.join(' or ')}`;
  return new ProblemError(503, 'outbox-unavailable', 'This ingest cannot write to its disk', {
    detail: 'Nothing was sent',
    action: `${other}; and tell the operators`,
    retryAfterSeconds: 1,
  });
}

export function busy(): ProblemError {
  return new ProblemError(503, 'busy', 'Too many alerts are being sent at this moment', {
    detail: 'Nothing was sent',
    action: 'Repeat the same message in a second',
    retryAfterSeconds: 1,
  });
}

export function unknownAlert(id: string): ProblemError {
  return new ProblemError(404, 'unknown-alert', 'This ingest does not know the alert', {
    detail: `Nothing under the id ${id.slice(0, 40)} here or on a bus that can be reached`,
    action:
      'To end or change it all the same, send a full CAP Cancel or Update with its references to POST /v1/alerts: that works without us knowing the alert',
  });
}

export function unknownTrace(): ProblemError {
  return new ProblemError(404, 'unknown-alert', 'This ingest did not take the alert', {
    action: 'Ask the other ingests; “tocsin trace” asks every service at once',
  });
}

export function outsideTerritory(): ProblemError {
  return new ProblemError(
    403,
    'not-authorised',
    'This alert lies outside the territory of this key',
    { action: 'Use a key whose territory covers the alert' },
  );
}

export function alreadyOver(
  what: 'expired' | 'cancelled' | 'is-cancel',
  detail: string,
): ProblemError {
  const title = {
    expired: 'The alert has expired',
    cancelled: 'The alert is cancelled already',
    'is-cancel': 'This message is itself a Cancel',
  }[what];
  return new ProblemError(409, `already-${what === 'is-cancel' ? 'cancelled' : what}`, title, {
    detail,
    action:
      'Nothing is left to do: devices do not ring for it any more. For a new danger send a new Alert',
  });
}
