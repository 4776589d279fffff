import { expect, test } from '@jest/globals';
import { MAX_DEVICE_BYTES } from '../../../../shared/envelope/push-payload.ts';
import type { OutgoingMessage } from '../transport.ts';
import { ttlSeconds } from '../ttl.ts';
import { cutToJsonBytes, fcmHead, fcmTail, fcmTemplate } from './fcm-message.ts';

const message: OutgoingMessage = {
  alertId: 'a1',
  signedMessage: 'eyJh.eyJi.c2ln',
  via: 'paris',
  title: 'ALERTE — Préfecture',
  body: 'Mettez-vous à l’abri',
  msgType: 'Alert',
  tag: 'tag-1',
  expiresAtMs: Date.parse('2026-07-15T00:00:00Z'),
  quiet: false,
};

function body(changes: Partial<OutgoingMessage> = {}, token = 'token', ttl = 60) {
  const template = fcmTemplate({ ...message, ...changes });
  return template === undefined
    ? undefined
    : Buffer.concat([fcmHead(template, token), fcmTail(template, ttl)]).toString();
}

test('Android gets a data message, never a notification that FCM would collapse; iOS gets an alert', () => {
  expect(JSON.parse(body({}, 'tok:en_1', 3600) ?? '')).toEqual({
    message: {
      token: 'tok:en_1',
      android: { priority: 'high', ttl: '3600s' },
      data: { alert: 'eyJh.eyJi.c2ln', via: 'paris' },
      apns: {
        headers: {
          'apns-push-type': 'alert',
          'apns-priority': '10',
          'apns-expiration': '1784073600',
          'apns-collapse-id': 'tag-1',
        },
        payload: {
          aps: {
            alert: { title: 'ALERTE — Préfecture', body: 'Mettez-vous à l’abri' },
            'mutable-content': 1,
            'interruption-level': 'time-sensitive',
            sound: 'default',
          },
        },
      },
    },
  });
});

test('a quiet message does not ring on iOS', () => {
  const { apns } = JSON.parse(body({ quiet: true }) ?? '').message;
  expect(apns.headers['apns-priority']).toBe('5');
  expect(apns.payload.aps.sound).toBeUndefined();
  expect(apns.payload.aps['interruption-level']).toBe('passive');
});

test('texts that look like our own markers, and tokens with quotes, stay what they are', () => {
  const odd = { title: '"ttl":"\u0000"', body: '\\u0000s\u0000"' };
  const parsed = JSON.parse(body(odd, 'a"},{', 9) ?? '').message;
  expect(parsed.token).toBe('a"},{');
  expect(parsed.android.ttl).toBe('9s');
  expect(parsed.apns.payload.aps.alert).toEqual(odd);
});

test('with the longest signed message and texts of any length it stays within 4,096 bytes', () => {
  const signedMessage = 'x'.repeat(MAX_DEVICE_BYTES);
  for (const text of ['é', '"', '👨‍👩‍👧', '\n', 'abc ']) {
    const json = body({ signedMessage, title: text.repeat(900), body: text.repeat(4000) }, '', 9);
    const inner = JSON.parse(json ?? '').message;
    expect(Buffer.byteLength(json ?? '')).toBeLessThanOrEqual(4096);
    expect(inner.apns.payload.aps.alert.body).toMatch(/…$/);
    expect(inner.data.alert).toBe(signedMessage);
  }
  expect(body({ signedMessage: 'x'.repeat(4000) })).toBeUndefined();
});

test('texts are cut between characters', () => {
  expect(cutToJsonBytes('Évacuez', 7)).toBe('Éva…');
  expect(cutToJsonBytes('abc', 3)).toBe('abc');
  expect(cutToJsonBytes('abcd', 3)).toBe('…');
  expect(cutToJsonBytes('abcd', 2)).toBe('');
});

test('a tag that APNs would refuse becomes its hash', () => {
  const { apns } = JSON.parse(body({ tag: 'é'.repeat(40) }) ?? '').message;
  expect(apns.headers['apns-collapse-id']).toMatch(/^[\w-]{43}$/);
});

test('P6: the TTL is what is left of the alert; nothing is left after its end', () => {
  expect(ttlSeconds(10_000, 0)).toBe(10);
  expect(ttlSeconds(10_999, 0)).toBe(10);
  expect(ttlSeconds(500, 0)).toBe(0);
  expect(ttlSeconds(500, 500)).toBeUndefined();
  expect(ttlSeconds(500, 501)).toBeUndefined();
  expect(ttlSeconds(1e15, 0)).toBe(2_419_200);
});
