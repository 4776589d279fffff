import { createECDH } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { Subscription } from '../../../shared/subscription/subscription.ts';
import { subscriptionProblems } from './check-subscription.ts';

const ecdh = createECDH('prime256v1');
const p256dh = ecdh.generateKeys('base64url');
const offTheCurve = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url');
const compressedAndPadded = Buffer.concat([
  ecdh.getPublicKey(null, 'compressed'),
  Buffer.alloc(32),
]);

function subscription(
  changes: { endpoint?: string; p256dh?: string; areaCodes?: string[] } = {},
): Subscription {
  return {
    deviceId: 'A'.repeat(22),
    address: {
      transport: 'web-push',
      endpoint: changes.endpoint ?? 'https://updates.push.services.mozilla.com/wpush/v2/x',
      keys: { p256dh: changes.p256dh ?? p256dh, auth: 'A'.repeat(22) },
    },
    areaCodes: changes.areaCodes ?? ['06088'],
    language: 'fr-FR',
    appVersion: 'test',
  };
}

const fieldsOf = (given: Subscription, probe = false, extraPushOrigins: string[] = []) =>
  subscriptionProblems(given, { probe, extraPushOrigins }).map(({ field }) => field);

test.each([
  ['Mozilla', 'https://updates.push.services.mozilla.com/wpush/v2/x', []],
  ['Google', 'https://fcm.googleapis.com/fcm/send/x', []],
  ['Apple', 'https://web.push.apple.com/x', []],
  ['Microsoft', 'https://wns2-par02p.notify.windows.com/w/?token=x', []],
  ['an address of our own network', 'https://192.168.1.1/x', ['address.endpoint']],
  ['this machine', 'https://localhost:8491/wpush/v2/x', ['address.endpoint']],
  ['the metadata service', 'https://169.254.169.254/latest', ['address.endpoint']],
  ['a known host on another port', 'https://fcm.googleapis.com:8443/x', ['address.endpoint']],
  ['a known host as a prefix', 'https://web.push.apple.com.evil.example/x', ['address.endpoint']],
  ['a known host as user name', 'https://fcm.googleapis.com@evil.example/x', ['address.endpoint']],
])('only known push services are taken: %s', (_name, endpoint, fields) => {
  expect(fieldsOf(subscription({ endpoint }))).toEqual(fields);
});

test('a self-hosted push service is taken once its origin is set', () => {
  const given = subscription({ endpoint: 'https://localhost:8491/wpush/v2/x' });
  expect(fieldsOf(given, false, ['https://localhost:8491'])).toEqual([]);
});

test.each([
  ['off the curve', offTheCurve],
  ['compressed', compressedAndPadded.toString('base64url')],
  ['zeros', Buffer.alloc(65).toString('base64url')],
])('a key that nothing can be encrypted for is refused: %s', (_name, key) => {
  expect(fieldsOf(subscription({ p256dh: key }))).toEqual(['address.keys.p256dh']);
});

test.each([
  [false, ['06088', '06'], []],
  [false, ['ZZ999'], ['areaCodes']],
  [false, ['06088', 'ZZ999'], ['areaCodes']],
  [true, ['ZZ999'], []],
  [true, ['06088'], ['areaCodes']],
  [true, ['ZZ999', '06088'], ['areaCodes']],
])(
  'P6: the reserved area and probes go together, both ways (probe %s, %j)',
  (probe, areaCodes, fields) => {
    expect(fieldsOf(subscription({ areaCodes }), probe)).toEqual(fields);
  },
);
