import { generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import { SigningKey } from '../../../shared/envelope/key-set.ts';
import { createSigner } from '../../../shared/envelope/signature.ts';

const Header = z.object({ kid: z.string() });

/**
 * The same message with a forger's signature: a sound Ed25519 signature by a key made on the spot, under the name (`kid`)
 * of the trusted one. All but the key is right, so only a device that looks at the signature refuses it.
 */
export async function forge(jws: string): Promise<string> {
  const [header = '', payload = ''] = jws.split('.');
  const { kid } = Header.parse(JSON.parse(fromBase64url(header)));
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const sign = await createSigner(SigningKey.parse({ ...jwk, kid, audience: 'canary' }), 'alert');
  return sign(fromBase64url(payload));
}

function fromBase64url(text: string): string {
  return Buffer.from(text, 'base64url').toString('utf8');
}
