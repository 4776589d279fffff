import { expect, test } from '@jest/globals';
import type { RegistryRecord } from '../../../shared/subscription/registry-record.ts';
import { requireOwner, requireSecretHash } from './device-secret.ts';
import { nextVersion } from './register.ts';

const hashOf = (secret: string) => requireSecretHash(`Bearer ${secret}`);
const SECRET = 'a'.repeat(22);

function active(secretHash?: string): RegistryRecord {
  return {
    v: 1,
    state: 'active',
    version: 1000,
    probe: false,
    subscription: {
      deviceId: 'A'.repeat(22),
      address: { transport: 'fcm', token: 'x'.repeat(30) },
      areaCodes: ['06088'],
      language: 'fr-FR',
      appVersion: 'test',
    },
    lastHeardAt: '2026-07-14T20:30:00.000Z',
    ...(secretHash === undefined ? {} : { secretHash }),
  };
}

const removed: RegistryRecord = {
  v: 1,
  state: 'removed',
  version: 9,
  deviceId: 'A'.repeat(22),
  reason: 'gone',
};

test.each([
  ['new', undefined, true],
  ['removed', removed, true],
  ['registered with this secret', active(hashOf(SECRET)), true],
  ['registered with another secret', active(hashOf('b'.repeat(22))), false],
  ['imported without a secret', active(), false],
] as const)(
  'a device that is %s may be changed by who knows the secret: see the row',
  (_what, record, allowed) => {
    const check = () => requireOwner(record, hashOf(SECRET));
    if (allowed) expect(check).not.toThrow();
    else expect(check).toThrow('another secret');
  },
);

test.each([
  undefined,
  '',
  'Bearer ',
  'Bearer short',
  `Basic ${SECRET}`,
  `Bearer ${'a'.repeat(21)}!`,
])('a missing or weak secret is refused before anything is looked up: %j', (header) => {
  expect(() => requireSecretHash(header)).toThrow('missing or too short');
});

test('versions rise even when the clock of the last writer was ahead', () => {
  expect(nextVersion(5000, undefined)).toBe(5000);
  expect(nextVersion(5000, active())).toBe(5000);
  expect(nextVersion(500, active())).toBe(1001);
});
