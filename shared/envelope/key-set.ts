import { z } from 'zod';
import { AUDIENCES } from '../alert/audience.ts';

const Base64url = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** An Ed25519 public key (RFC 8037) that may sign for exactly one audience. */
export const TrustedKey = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: Base64url,
  kid: z.string().min(1).max(60),
  audience: z.enum(AUDIENCES),
});
export type TrustedKey = z.infer<typeof TrustedKey>;

/** The keys that dispatchers and devices trust: a JWK set whose keys say for whom they sign. */
export const KeySet = z.strictObject({ keys: z.array(TrustedKey).min(1).max(50) });
export type KeySet = z.infer<typeof KeySet>;

/** A signing key: the same with its private part. Only ingest holds it, in a file only it may read. */
export const SigningKey = TrustedKey.extend({ d: Base64url });
export type SigningKey = z.infer<typeof SigningKey>;
