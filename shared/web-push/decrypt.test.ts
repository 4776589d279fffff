import { expect, test } from '@jest/globals';
import webPush from 'web-push';
import { createReceiverKeys, DecryptError, decryptWebPush } from './decrypt.ts';

// RFC 8291 appendix A.
const RFC_KEYS = {
  privateKey: 'q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94',
  publicKey:
    'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
};
const RFC_BODY = Buffer.from(
  'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  'base64url',
);

const encrypt = (text: string, keys = RFC_KEYS) =>
  webPush.encrypt(keys.publicKey, keys.auth, text, 'aes128gcm').cipherText;

test('RFC 8291 appendix A: the example message opens', () => {
  expect(decryptWebPush(RFC_BODY, RFC_KEYS).toString()).toBe(
    'When I grow up, I want to be a watermelon',
  );
});

test('what the web-push package encrypts for fresh keys opens, at every length up to the largest', () => {
  const keys = createReceiverKeys();
  for (const length of [0, 1, 2400, 3993]) {
    const text = 'é'.repeat(length / 2) + 'x'.repeat(length % 2);
    expect(decryptWebPush(encrypt(text, keys), keys).toString()).toBe(text);
  }
});

test('fresh keys have the sizes that a subscription needs', () => {
  const keys = createReceiverKeys();
  const bytes = (text: string) => Buffer.from(text, 'base64url').length;
  expect([bytes(keys.privateKey), bytes(keys.publicKey), bytes(keys.auth)]).toEqual([32, 65, 16]);
});

test('P8: any changed byte is refused', () => {
  const body = encrypt('alerte');
  // Bytes 16 to 19 are the record size, which may be larger than the record.
  for (const position of [0, 20, 30, 86, body.length - 1]) {
    const changed = Buffer.from(body);
    changed.writeUInt8((changed[position] ?? 0) ^ 1, position);
    expect(() => decryptWebPush(changed, RFC_KEYS)).toThrow(DecryptError);
  }
});

test('a message for other keys, a short body and a second record are refused', () => {
  const body = encrypt('alerte');
  expect(() => decryptWebPush(body, createReceiverKeys())).toThrow(/not encrypted for this/);
  expect(() => decryptWebPush(body.subarray(0, 100), RFC_KEYS)).toThrow(/too short/);
  const twoRecords = Buffer.from(body);
  twoRecords.writeUInt32BE(18, 16);
  expect(() => decryptWebPush(twoRecords, RFC_KEYS)).toThrow(/more than one record/);
});
