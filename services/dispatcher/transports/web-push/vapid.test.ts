import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { jwtVerify } from 'jose';
import webpush from 'web-push';
import { checkVapidKeys, createVapidHeaders, VapidKeysFile } from './vapid.ts';

const HOUR_MS = 3_600_000;
const keys = { subject: 'mailto:alerte@alpes-maritimes.example', ...webpush.generateVAPIDKeys() };

function start() {
  const time = { nowMs: Date.parse('2026-07-14T20:00:00Z') };
  return { time, header: createVapidHeaders(keys, { clock: () => time.nowMs }) };
}

test('RFC 8292: the token is for the origin, signed by the key that the header names, and ends in 12 hours', async () => {
  const { time, header } = start();
  const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(header('https://push.example')) ?? [];
  expect(key).toBe(keys.publicKey);
  const point = Buffer.from(keys.publicKey, 'base64url');
  const jwk: JsonWebKey = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  const { payload } = await jwtVerify(token ?? '', createPublicKey({ key: jwk, format: 'jwk' }), {
    audience: 'https://push.example',
    currentDate: new Date(time.nowMs),
  });
  expect(payload.sub).toBe(keys.subject);
  expect(payload.exp).toBe((time.nowMs + 12 * HOUR_MS) / 1000);
});

test('one token per origin for six hours, never one per message', () => {
  const { time, header } = start();
  const first = header('https://push.example');
  time.nowMs += 6 * HOUR_MS - 1;
  expect(header('https://push.example')).toBe(first);
  expect(header('https://other.example')).not.toBe(first);
  time.nowMs += 1;
  expect(header('https://push.example')).not.toBe(first);
});

test('strangers that bring new origins do not fill the memory', () => {
  const { header } = start();
  const first = header('https://push0.example');
  for (let i = 1; i <= 500; i++) header(`https://push${i}.example`);
  expect(header('https://push0.example')).not.toBe(first);
});

test('keys that do not fit each other, or a subject that nobody can write to, stop the start', () => {
  expect(() => checkVapidKeys(keys)).not.toThrow();
  const other = webpush.generateVAPIDKeys();
  expect(() => checkVapidKeys({ ...keys, publicKey: other.publicKey })).toThrow(/does not belong/);
  expect(() => checkVapidKeys({ ...keys, publicKey: 'short' })).toThrow(/not valid/);
  expect(VapidKeysFile.safeParse({ ...keys, subject: 'Jean <jean@x.example>' }).success).toBe(
    false,
  );
});
