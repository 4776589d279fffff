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
  privateKey: bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'),
  salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
};
const RFC_BODY =
  'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';

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

test('key pair and salt are new for every message, to the same device too', () => {
  const clear = Buffer.from('alerte');
  const heads = Array.from({ length: 20 }, () => {
    const body = encryptPush(clear, RFC_DEVICE) ?? Buffer.alloc(0);
    return [body.toString('hex', 0, 16), body.toString('hex', 21, 86)];
  });
  expect(new Set(heads.map(([salt]) => salt)).size).toBe(20);
  expect(new Set(heads.map(([, key]) => key)).size).toBe(20);
});

test('a key that is no point of the curve is an answer, not an exception', () => {
  const auth = RFC_DEVICE.auth;
  expect(encryptPush(Buffer.from('x'), { p256dh: Buffer.alloc(65, 4), auth })).toBeUndefined();
  expect(encryptPush(Buffer.from('x'), { p256dh: Buffer.alloc(0), auth })).toBeUndefined();
});
