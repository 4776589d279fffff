import { createECDH, createPrivateKey } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createReceiverKeys, decryptWebPush } from '../../../../shared/web-push/decrypt.ts';
import { encryptPush, MAX_CLEAR_BYTES } from './encrypt.ts';

const bytes = (text: string) => Buffer.from(text, 'base64url');

// RFC 8291 appendix A.
const RFC_DEVICE = {
  p256dh: bytes(
    'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  ),
  auth: bytes('BTBZMqHH6r4Tts7J_aSIgg'),
};
const RFC_FRESH = {
  ...pairOf(bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw')),
  salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
};
const RFC_BODY =
  'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';

function pairOf(secret: Buffer) {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(secret);
  const point = ecdh.getPublicKey();
  const x = point.toString('base64url', 1, 33);
  const y = point.toString('base64url', 33);
  const key = { kty: 'EC', crv: 'P-256', d: secret.toString('base64url'), x, y };
  return { privateKey: createPrivateKey({ format: 'jwk', key }), publicKey: { x, y }, point };
}

test('RFC 8291 appendix A: the example comes out bit for bit', () => {
  const clear = Buffer.from('When I grow up, I want to be a watermelon');
  expect(encryptPush(clear, RFC_DEVICE, RFC_FRESH)?.toString('base64url')).toBe(RFC_BODY);
});

test('a receiver opens every length up to the largest, which makes 4,096 bytes', () => {
  for (const length of [0, 1, 15, 16, 17, 300, 2400, MAX_CLEAR_BYTES]) {
    const keys = createReceiverKeys();
    const device = { p256dh: bytes(keys.publicKey), auth: bytes(keys.auth) };
    const clear = Buffer.alloc(length, 'é');
    const body = encryptPush(clear, device);
    expect(body?.length).toBe(length + 103);
    expect(decryptWebPush(body ?? Buffer.alloc(0), keys)).toEqual(clear);
  }
  expect(MAX_CLEAR_BYTES + 103).toBe(4096);
});

test('a sender whose x or y begins with zero bytes goes out in full length', () => {
  const keys = createReceiverKeys();
  const device = { p256dh: bytes(keys.publicKey), auth: bytes(keys.auth) };
  // Small numbers whose points have x, then y, below 2 ** 248.
  for (const [secret, zeroAt] of [
    [379, 1],
    [43, 33],
  ] as const) {
    const { point, ...pair } = pairOf(Buffer.from(secret.toString(16).padStart(64, '0'), 'hex'));
    expect(point[zeroAt]).toBe(0);
    const body = encryptPush(Buffer.from('alerte'), device, { ...pair, salt: RFC_FRESH.salt });
    expect(body?.subarray(21, 86)).toEqual(point);
    expect(decryptWebPush(body ?? Buffer.alloc(0), keys).toString()).toBe('alerte');
  }
});

test('key pair and salt are new for every message, to the same device too', () => {
  const clear = Buffer.from('alerte');
  // More than the salts that are drawn at a time.
  const heads = Array.from({ length: 600 }, () => {
    const body = encryptPush(clear, RFC_DEVICE) ?? Buffer.alloc(0);
    return [body.toString('hex', 0, 16), body.toString('hex', 21, 86)];
  });
  expect(new Set(heads.map(([salt]) => salt)).size).toBe(600);
  expect(new Set(heads.map(([, key]) => key)).size).toBe(600);
});

test('a key that is no point of the curve is an answer, not an exception', () => {
  const auth = RFC_DEVICE.auth;
  const besideTheCurve = Buffer.from(RFC_DEVICE.p256dh);
  besideTheCurve[64] = (besideTheCurve[64] ?? 0) ^ 1;
  const asIfCompressed = Buffer.from(RFC_DEVICE.p256dh);
  asIfCompressed[0] = 2;
  const beyondTheField = Buffer.alloc(65, 255);
  beyondTheField[0] = 4;
  for (const p256dh of [
    besideTheCurve,
    asIfCompressed,
    beyondTheField,
    Buffer.alloc(65, 4),
    Buffer.alloc(65),
    Buffer.alloc(0),
  ])
    expect(encryptPush(Buffer.from('x'), { p256dh, auth })).toBeUndefined();
});
