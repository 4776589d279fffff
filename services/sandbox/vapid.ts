import { compactVerify, importJWK } from 'jose';
import { z } from 'zod';

/** The sender is not who may send; the text is the answer's message. */
export class VapidError extends Error {
  override readonly name = 'VapidError';
}

const Claims = z.object({
  aud: z.string(),
  exp: z.number(),
  sub: z.string().regex(/^(?:mailto:|https:)./),
});
type Claims = z.infer<typeof Claims>;

interface Vapid {
  /** The sender's public key as it wrote it, base64url. */
  readonly key: string;
}

interface VapidExpectation {
  /** Key that the subscription was made with; undefined: any sender's. */
  readonly key: string | undefined;
  /** Origins of this push service. */
  readonly audiences: readonly string[];
  readonly nowMs: number;
}

export type VerifyVapid = (authorization: string, expected: VapidExpectation) => Promise<Vapid>;

/** RFC 8292 section 2: a token's end is at most a day ahead. */
const MAX_LIFE_SECONDS = 24 * 3600;
/** Signatures that were checked already: senders use one token for hours. */
const MAX_REMEMBERED = 1000;

/** Same key, whatever the spelling (padding, alphabet). */
function sameKey(a: string, b: string): boolean {
  return Buffer.from(a, 'base64url').equals(Buffer.from(b, 'base64url'));
}

/** True for an uncompressed P-256 point as base64url: the form of an application server key. */
export function isApplicationServerKey(key: string): boolean {
  const bytes = Buffer.from(key, 'base64url');
  return bytes.length === 65 && bytes[0] === 4;
}

/** Checks `Authorization: vapid t=…, k=…` (RFC 8292). Rejects with VapidError. */
export function createVapidVerifier(): VerifyVapid {
  const remembered = new Map<string, Claims>();
  return async (authorization, expected) => {
    const { token, key } = parseHeader(authorization);
    const known = remembered.get(`${key}.${token}`);
    const claims = known ?? (await verify(token, key));
    if (!known) {
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(`${key}.${token}`, claims);
    }
    if (!expected.audiences.includes(claims.aud)) throw new VapidError('Invalid VAPID audience');
    const leftSeconds = claims.exp - expected.nowMs / 1000;
    if (leftSeconds <= 0) throw new VapidError('Invalid VAPID expiry');
    if (leftSeconds > MAX_LIFE_SECONDS)
      throw new VapidError('The VAPID token expiration is too long');
    if (expected.key !== undefined && !sameKey(expected.key, key))
      throw new VapidError('VAPID public key mismatch');
    return { key };
  };
}

function parseHeader(authorization: string): { token: string; key: string } {
  const [, rest] = /^vapid +(.{1,2000})$/i.exec(authorization) ?? [];
  if (rest === undefined) throw new VapidError('Unknown auth scheme');
  const parts = new Map(
    rest.split(',').map((part) => {
      const [name = '', ...value] = part.trim().split('=');
      return [name.trim(), value.join('=').replace(/^"|"$/g, '')];
    }),
  );
  const token = parts.get('t');
  const key = parts.get('k');
  if (!token) throw new VapidError('Missing VAPID token');
  if (!key) throw new VapidError('Missing VAPID public key');
  if (!isApplicationServerKey(key)) throw new VapidError('Invalid VAPID public key');
  return { token, key };
}

async function verify(token: string, key: string): Promise<Claims> {
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) =>
    part.toString('base64url'),
  );
  try {
    const publicKey = await importJWK({
      kty: 'EC',
      crv: 'P-256',
      x: x ?? '',
      y: y ?? '',
      alg: 'ES256',
    });
    const { payload } = await compactVerify(token, publicKey, { algorithms: ['ES256'] });
    return Claims.parse(JSON.parse(new TextDecoder().decode(payload)));
  } catch (error) {
    const isClaim = error instanceof z.ZodError;
    throw new VapidError(
      isClaim ? 'Invalid VAPID claims (aud, exp and sub are required)' : 'Invalid VAPID signature',
      {
        cause: error,
      },
    );
  }
}
