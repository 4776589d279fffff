import { createECDH, createPrivateKey, sign } from 'node:crypto';
import webpush from 'web-push';
import { z } from 'zod';
import { ConfigError } from '../../../../shared/config/parse-env.ts';
import type { Clock } from '../../../../shared/time/clock.ts';

/** The sender's identity towards push services (RFC 8292): `subject` is a mailto: or https: address of the operator. */
export const VapidKeysFile = z.strictObject({
  subject: z
    .string()
    .regex(/^(?:mailto:[^\s@<>]+@[^\s@<>]+|https:\/\/\S+)$/, 'must be mailto:… or https://…'),
  /** Uncompressed P-256 point, base64url. */
  publicKey: z.string(),
  /** P-256 private key, base64url. */
  privateKey: z.string(),
});
export type VapidKeys = z.infer<typeof VapidKeysFile>;

/** RFC 8292 section 2 allows 24 h; half of it leaves room for clocks that differ. */
const LIFE_MS = 12 * 3_600_000;
/** Well above Apple's "not more than once an hour", and never first noticed as outdated during an alert. */
const RENEW_AFTER_MS = LIFE_MS / 2;
/** Some push services give every region a host of its own; strangers choose endpoints, so the cache is bounded. */
const MAX_ORIGINS = 500;

/** Checks that the keys fit each other and push services will take them. Throws ConfigError, without the keys. */
export function checkVapidKeys(keys: VapidKeys): void {
  try {
    webpush.setVapidDetails(keys.subject, keys.publicKey, keys.privateKey);
  } catch (error) {
    throw new ConfigError('VAPID_KEYS_FILE: the keys are not valid; make new ones', {
      cause: error,
    });
  }
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(Buffer.from(keys.privateKey, 'base64url'));
  if (ecdh.getPublicKey('base64url') !== keys.publicKey)
    throw new ConfigError('VAPID_KEYS_FILE: publicKey does not belong to privateKey');
}

/**
 * Makes `Authorization` headers for push services: one ES256 token per origin, used for six hours and valid for twelve
 * (signing one for every message would cost more than all the rest, and Apple forbids it).
 */
export function createVapidHeaders(
  keys: VapidKeys,
  { clock }: { clock: Clock },
): (origin: string) => string {
  const publicKey = Buffer.from(keys.publicKey, 'base64url');
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: publicKey.subarray(1, 33).toString('base64url'),
      y: publicKey.subarray(33).toString('base64url'),
      d: keys.privateKey,
    },
  });
  const cache = new Map<string, { header: string; renewAtMs: number }>();
  const head = encode({ typ: 'JWT', alg: 'ES256' });
  return (origin) => {
    const nowMs = clock();
    const known = cache.get(origin);
    if (known !== undefined && nowMs < known.renewAtMs) return known.header;
    const claims = {
      aud: origin,
      exp: Math.floor((nowMs + LIFE_MS) / 1000),
      sub: keys.subject,
    };
    const text = `${head}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    const header = `vapid t=${text}.${signature.toString('base64url')}, k=${keys.publicKey}`;
    cache.delete(origin);
    cache.set(origin, { header, renewAtMs: nowMs + RENEW_AFTER_MS });
    const oldest = cache.keys().next().value;
    if (cache.size > MAX_ORIGINS && oldest !== undefined) cache.delete(oldest);
    return header;
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
