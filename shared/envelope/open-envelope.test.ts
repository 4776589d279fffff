import { expect, test } from '@jest/globals';
import { sampleAlert, sampleInfo, sampleTest } from '../../tests/support/sample-alert.ts';
import { keySetOf, sampleEnvelope, sampleKey } from '../../tests/support/sample-envelope.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Envelope } from './envelope.ts';
import { areaHash, contentHash } from './hashes.ts';
import { openEnvelope } from './open-envelope.ts';
import { createSigner, createVerifier, SignatureError } from './signature.ts';

const KEYS = { public: sampleKey('public'), canary: sampleKey('canary') };
const VERIFY = createVerifier(keySetOf(KEYS.public, KEYS.canary), 'envelope');

async function open(envelope: unknown, by: 'public' | 'canary' = 'public') {
  const sign = await createSigner(KEYS[by], 'envelope');
  return openEnvelope(await sign(JSON.stringify(envelope)), VERIFY);
}

test('an envelope whose hashes, audience and id are right is opened as it was sealed', async () => {
  const publicOne = await sampleEnvelope(sampleAlert());
  expect(await open(publicOne)).toEqual(publicOne);
  const canaryOne = await sampleEnvelope(sampleTest(), 'canary');
  expect(await open(canaryOne, 'canary')).toEqual(canaryOne);
});

test('the trace stands in the signed header, where a node that does not know it passes over it; nothing hangs on it', async () => {
  const sealed = await sampleEnvelope(sampleAlert());
  const sign = await createSigner(KEYS.public, 'envelope');
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const jws = await sign(JSON.stringify(sealed), trace);
  expect(await openEnvelope(jws, VERIFY)).toEqual({ ...sealed, trace });
  // What older nodes read is what it was without a trace.
  expect(jws.split('.')[1]).toBe((await sign(JSON.stringify(sealed))).split('.')[1]);
  const other = Buffer.from(JSON.stringify({ trace: 'other' })).toString('base64url');
  await expect(openEnvelope(jws.replace(/^[^.]+/, other), VERIFY)).rejects.toThrow(SignatureError);
  for (const odd of ['', 'nonsense', 'é'.repeat(60), 'x'.repeat(10_000)])
    expect(await openEnvelope(await sign(JSON.stringify(sealed), odd), VERIFY)).toMatchObject(
      sealed,
    );
});

test.each<[string, (good: Envelope) => Promise<unknown> | unknown]>([
  [
    'P7: another text',
    (good) => ({ ...good, alert: sampleAlert({ info: [sampleInfo({ headline: 'Autre' })] }) }),
  ],
  [
    'P7: another validity',
    (good) => ({
      ...good,
      alert: sampleAlert({ info: [sampleInfo({ expires: '2026-07-15T01:31:07+02:00' })] }),
    }),
  ],
  ['P7: wider area codes', (good) => ({ ...good, areaCodes: ['06', '06088'] })],
  [
    'P7: wider area codes with their own hash',
    async (good) => ({ ...good, areaCodes: ['06'], areaHash: await areaHash(['06']) }),
  ],
  [
    'P7: an area hash of something else',
    async (good) => ({ ...good, areaHash: await areaHash(['06']) }),
  ],
  ['P3: it outlives its alert', (good) => ({ ...good, expiresAt: '2026-07-15T00:00:00.000Z' })],
  ['the id of another alert', (good) => ({ ...good, id: 'f'.repeat(32) })],
  [
    'P6: a public envelope around a Test',
    async () => ({ ...(await sampleEnvelope(sampleTest(), 'canary')), audience: 'public' }),
  ],
  [
    'P6: a canary’s path on a public alert',
    (good) => ({ ...good, path: { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'fcm' } }),
  ],
  [
    'P6: a canary envelope signed by the public key',
    async () => sampleEnvelope(sampleTest(), 'canary'),
  ],
  [
    'P6: a public alert to the reserved area',
    async () => {
      const [info] = sampleTest().info;
      return sampleEnvelope(sampleAlert({ info: [sampleInfo({ area: info?.area ?? [] })] }));
    },
  ],
  ['a shard number that is no power of two', (good) => ({ ...good, shards: 3 })],
  ['an unknown field', (good) => ({ ...good, extra: 1 })],
  ['a version we do not know', (good) => ({ ...good, v: 2 })],
])('%s: refused, although the signature holds', async (_what, change) => {
  const changed = await change(await sampleEnvelope(sampleAlert()));
  await expect(open(changed)).rejects.toBeInstanceOf(SignatureError);
});

test('P6: the canary’s key signs nothing for people', async () => {
  await expect(open(await sampleEnvelope(sampleAlert()), 'canary')).rejects.toThrow(
    'may not sign for the audience public',
  );
});

test('P7: the content hash is that of the meaning: key order and absent fields do not count, every value does', async () => {
  const alert = sampleAlert();
  const reordered = Object.fromEntries(Object.entries(alert).reverse());
  expect(await contentHash({ ...sampleAlert(), ...reordered, note: undefined } as never)).toBe(
    await contentHash(alert),
  );
  expect(await contentHash(sampleAlert({ note: 'x' }))).not.toBe(await contentHash(alert));
  expect(await areaHash(['b', 'a'])).toBe(await areaHash(['a', 'b']));
  expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'é' })).toBe(
    '{"a":"é","b":[{"c":null,"d":1}]}',
  );
});
