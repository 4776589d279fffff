import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isAllowedPushEndpoint } from './push-origin.ts';
import { FINEST_SHARDS, finestRange, finestShard } from './shard.ts';
import { Subscription } from './subscription.ts';

const SANDBOX = ['https://localhost:8491'];

test.each([
  ['https://updates.push.services.mozilla.com/wpush/v2/abc', true],
  ['https://fcm.googleapis.com/fcm/send/abc', true],
  ['https://jmt17.google.com/fcm/send/abc', true],
  ['https://web.push.apple.com/abc', true],
  ['https://wns2-par02p.notify.windows.com/w/?token=abc', true],
  ['https://localhost:8491/wpush/v2/abc', true],
  ['https://localhost:8492/wpush/v2/abc', false],
  ['http://localhost:8491/wpush/v2/abc', false],
  ['http://updates.push.services.mozilla.com/abc', false],
  ['https://updates.push.services.mozilla.com:8443/abc', false],
  ['https://user:pass@fcm.googleapis.com/abc', false],
  ['https://mail.google.com/abc', false],
  ['https://evilpush.services.mozilla.com.example.org/abc', false],
  ['https://fcm.googleapis.com.example.org/abc', false],
  ['https://notify.windows.com.evil/abc', false],
  ['https://127.0.0.1/abc', false],
  ['https://[::1]/abc', false],
  ['https://169.254.169.254/latest/meta-data', false],
  ['https://2852039166/', false],
  ['https://fcm.googleapis.com@10.0.0.1/', false],
  ['file:///etc/passwd', false],
  ['no address', false],
])('an endpoint at %s: taken = %s', (endpoint, expected) => {
  expect(isAllowedPushEndpoint(endpoint, SANDBOX)).toBe(expected);
});

const GOOD = {
  deviceId: 'A'.repeat(22),
  address: { transport: 'fcm', token: 'x'.repeat(20) },
  areaCodes: ['06088', '2A'],
  language: 'fr-FR',
  appVersion: '1.0',
};

test.each<[string, object, boolean]>([
  ['as it should be', {}, true],
  ['a short device id', { deviceId: 'A'.repeat(21) }, false],
  ['no area', { areaCodes: [] }, false],
  ['21 areas', { areaCodes: Array.from({ length: 21 }, () => '06') }, false],
  ['an area of no list', { areaCodes: ['nice'] }, false],
  ['a name, which we do not want to know', { name: 'x' }, false],
  ['a token with spaces', { address: { transport: 'fcm', token: 'x x'.repeat(20) } }, false],
  [
    'keys of the wrong length',
    {
      address: { transport: 'web-push', endpoint: 'https://a/', keys: { p256dh: 'x', auth: 'y' } },
    },
    false,
  ],
  ['a transport that we do not have', { address: { transport: 'sms', number: '17' } }, false],
])('a subscription with %s: taken = %s', (_what, changes, expected) => {
  expect(Subscription.safeParse({ ...GOOD, ...changes }).success).toBe(expected);
});

test('every device has one finest shard, and the shards of an alert, however many, cover it exactly once', () => {
  const shards = fc.integer({ min: 0, max: 10 }).map((n) => 2 ** n);
  fc.assert(
    fc.property(fc.string({ minLength: 22, maxLength: 22 }), shards, (deviceId, count) => {
      const finest = finestShard(deviceId);
      expect(finest).toBe(finestShard(deviceId));
      const holders = Array.from({ length: count }, (_, shard) => finestRange(shard, count)).filter(
        ({ from, to }) => from <= finest && finest < to,
      );
      expect(holders).toHaveLength(1);
    }),
  );
});

test('devices spread evenly over the finest shards', () => {
  const counts = new Array<number>(FINEST_SHARDS).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const shard = finestShard(Buffer.from(`device-${i}`.padEnd(16)).toString('base64url'));
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  expect(Math.max(...counts)).toBeLessThan(200);
  expect(Math.min(...counts)).toBeGreaterThan(30);
});
