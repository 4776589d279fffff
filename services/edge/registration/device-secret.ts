import { createHash, timingSafeEqual } from 'node:crypto';
import { bearerToken } from '../../../shared/http/bearer.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { RegistryRecord } from '../../../shared/subscription/registry-record.ts';

/** At least 128 random bits as base64url. */
const DEVICE_SECRET = /^[A-Za-z0-9_-]{22,86}$/;

/** SHA-256 as base64url. The secret is random, so a plain hash gives nothing away. */
function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** The hash of the secret in an `Authorization` header. Throws a ProblemError (401) that says what to send. */
export function requireSecretHash(authorization: string | undefined): string {
  const secret = bearerToken(authorization);
  if (secret === undefined || !DEVICE_SECRET.test(secret))
    throw new ProblemError(
      401,
      'device-secret-missing',
      'The device’s secret is missing or too short',
      {
        action:
          'Make 128 random bits on the device, keep them, and send them as base64url: Authorization: Bearer <secret>',
      },
    );
  return hashSecret(secret);
}

/**
 * Throws a ProblemError (403) unless the device with this last record may be changed by who knows the secret. Nobody is
 * asked for a device that is new or was removed; an imported one has no secret and is changed by an import alone.
 */
export function requireOwner(record: RegistryRecord | undefined, secretHash: string): void {
  if (record?.state !== 'active') return;
  const known = record.secretHash;
  if (known !== undefined && timingSafeEqual(Buffer.from(known), Buffer.from(secretHash))) return;
  throw new ProblemError(403, 'not-your-device', 'This device was registered with another secret', {
    action: 'Use the secret of the first registration, or register again under a new device id',
  });
}
