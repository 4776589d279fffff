import { CompactSign, compactVerify, importJWK } from 'jose';
import type { Audience } from '../alert/audience.ts';
import type { KeySet, SigningKey, TrustedKey } from './key-set.ts';

/** Refused for a reason that a log line can carry: never holds the text that was refused. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

/**
 * Signs a text as a compact JWS. `type` is bound in the header, so that one kind of message never passes for another.
 * `trace` stands in the header too, signed like the rest: who does not know it passes over it (RFC 7515 section 4), which
 * a field of the payload, whose shape is checked strictly, would not allow.
 */
export type Sign = (payload: string, trace?: string) => Promise<string>;

/** `envelope` travels on the lanes, `alert` reaches devices, `receipt` comes back from probes. */
export type SignedType = 'envelope' | 'alert' | 'receipt';

/** A signer for one kind of message with one key. Throws when the key is not Ed25519 (P8: never "send unsigned"). */
export async function createSigner(key: SigningKey, type: SignedType): Promise<Sign> {
  const { audience: _audience, ...jwk } = key;
  const privateKey = await importJWK({ ...jwk, alg: 'EdDSA' });
  return signWith(privateKey, key.kid, type);
}

type PrivateKey = Parameters<CompactSign['sign']>[0];

/** The same with a key that only WebCrypto holds, such as a browser's that can't be read out. */
export function createCryptoKeySigner(key: PrivateKey, kid: string, type: SignedType): Sign {
  return signWith(key, kid, type);
}

function signWith(privateKey: PrivateKey, kid: string, type: SignedType): Sign {
  const header = { alg: 'EdDSA', kid, typ: `tocsin-${type}` };
  return (payload, trace) =>
    new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader(trace === undefined ? header : { ...header, trace })
      .sign(privateKey);
}

export interface Verified {
  readonly payload: string;
  /** The audience the signing key may speak for. The message inside must name the same one. */
  readonly audience: Audience;
  readonly kid: string;
  /** The header's `trace`, as it was signed; nothing is known of its shape. */
  readonly trace?: string;
}

/** Longer than any trace that we write. */
const MAX_TRACE_LENGTH = 64;

export type Verify = (jws: string) => Promise<Verified>;

/**
 * A verifier that knows nothing but the pinned keys: the key is looked up by `kid`, never taken from the message, and
 * no other algorithm than EdDSA is accepted. Rejects with SignatureError.
 */
export function createVerifier(keySet: KeySet, type: SignedType): Verify {
  const imported = new Map<
    string,
    Promise<{ key: TrustedKey; crypto: Awaited<ReturnType<typeof importJWK>> }>
  >();
  const lookUp = (kid: string | undefined) => {
    const key = keySet.keys.find((each) => each.kid === kid);
    if (!key) throw new SignatureError('signed by a key that is not trusted');
    const { audience: _audience, ...jwk } = key;
    const known = imported.get(key.kid);
    if (known) return known;
    const fresh = importJWK({ ...jwk, alg: 'EdDSA' }).then((crypto) => ({ key, crypto }));
    imported.set(key.kid, fresh);
    return fresh;
  };
  return async (jws) => {
    let used: TrustedKey | undefined;
    try {
      const { payload, protectedHeader } = await compactVerify(
        jws,
        async (header) => {
          const { key, crypto } = await lookUp(header.kid);
          used = key;
          return crypto;
        },
        { algorithms: ['EdDSA'] },
      );
      if (protectedHeader.typ !== `tocsin-${type}`)
        throw new SignatureError(`is not a signed ${type}`);
      if (!used) throw new SignatureError('no key was used');
      const trace = protectedHeader['trace'];
      const isTrace = typeof trace === 'string' && trace.length <= MAX_TRACE_LENGTH;
      return {
        payload: new TextDecoder().decode(payload),
        audience: used.audience,
        kid: used.kid,
        ...(isTrace ? { trace } : {}),
      };
    } catch (error) {
      if (error instanceof SignatureError) throw error;
      throw new SignatureError('signature does not verify', { cause: error });
    }
  };
}
