import { expect, test } from '@jest/globals';
import { CompactSign, importJWK } from 'jose';
import { keySetOf, sampleKey } from '../../tests/support/sample-envelope.ts';
import { SigningKey } from './key-set.ts';
import { createSigner, createVerifier, SignatureError } from './signature.ts';

const PUBLIC = sampleKey('public');
const CANARY = sampleKey('canary');
const KEYS = keySetOf(PUBLIC, CANARY);
const encode = (text: string) => new TextEncoder().encode(text);
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('P8: what was signed is read back, with the audience of the key and not of the message', async () => {
  const verify = createVerifier(KEYS, 'alert');
  for (const key of [PUBLIC, CANARY]) {
    const jws = await (await createSigner(key, 'alert'))('{"a":"é"}');
    expect(await verify(jws)).toEqual({
      payload: '{"a":"é"}',
      audience: key.audience,
      kid: key.kid,
    });
  }
});

test('P8: unsigned, tampered, other key, other kind, other algorithm: refused as SignatureError', async () => {
  const verify = createVerifier(KEYS, 'alert');
  const jws = await (await createSigner(PUBLIC, 'alert'))('{"a":1}');
  const [header = '', payload = '', signature = ''] = jws.split('.');
  const stranger = sampleKey('public');
  const secret = await importJWK({ kty: 'oct', k: PUBLIC.x, alg: 'HS256' });
  const strangersKey = await importJWK({ ...stranger, alg: 'EdDSA' });
  const forged = {
    'no JWS': 'x',
    empty: '',
    'not signed': `${base64url({ alg: 'none', kid: PUBLIC.kid, typ: 'tocsin-alert' })}.${payload}.`,
    'signature cut off': `${header}.${payload}.`,
    'payload changed': `${header}.${base64url({ a: 2 })}.${signature}`,
    'header changed': `${base64url({ alg: 'EdDSA', kid: CANARY.kid, typ: 'tocsin-alert' })}.${payload}.${signature}`,
    'signed by a stranger under a known name': await (await createSigner(stranger, 'alert'))(
      '{"a":1}',
    ),
    'signed under an unknown name': await (
      await createSigner(sampleKey('public', 'other'), 'alert')
    )('{"a":1}'),
    'another kind of message': await (await createSigner(PUBLIC, 'envelope'))('{"a":1}'),
    'the public key as a shared secret': await new CompactSign(encode('{"a":1}'))
      .setProtectedHeader({ alg: 'HS256', kid: PUBLIC.kid, typ: 'tocsin-alert' })
      .sign(secret),
    'a key brought along in the header': await new CompactSign(encode('{"a":1}'))
      .setProtectedHeader({
        alg: 'EdDSA',
        kid: PUBLIC.kid,
        typ: 'tocsin-alert',
        jwk: { kty: 'OKP', crv: 'Ed25519', x: stranger.x },
      })
      .sign(strangersKey),
  };
  for (const [what, text] of Object.entries(forged)) {
    const outcome = await verify(text).then(
      () => 'verified',
      (error: unknown) => error,
    );
    expect([what, outcome instanceof SignatureError]).toEqual([what, true]);
  }
});

test('P8: without its private part a key signs nothing, and says so', async () => {
  const { d: _lost, ...half } = PUBLIC;
  expect(SigningKey.safeParse(half).success).toBe(false);
  await expect(
    createSigner(SigningKey.parse({ ...PUBLIC, d: 'A'.repeat(43) }), 'alert').then((sign) =>
      sign('x'),
    ),
  ).rejects.toThrow();
});
