import { expect, test } from '@jest/globals';
import {
  CANARY_KEY,
  EXPIRED_KEY,
  makeApiKeys,
  PREFECTURE_KEY,
} from '../../../tests/support/ingest-fixtures.ts';
import { ApiKeyFile } from './api-keys.ts';
import { authenticate } from './authenticate.ts';

const keys = makeApiKeys();
const NOW = Date.parse('2026-07-14T20:31:07Z');

test('a key is known by its hash', () => {
  expect(authenticate(PREFECTURE_KEY, keys, NOW)).toMatchObject({
    kind: 'known',
    key: { id: 'pref06' },
  });
  expect(authenticate(CANARY_KEY, keys, NOW)).toMatchObject({
    kind: 'known',
    key: { id: 'canary-a' },
  });
});

test('a wrong, a missing and the hashed key are nobody’s', () => {
  expect(authenticate('wrong', keys, NOW).kind).toBe('unknown');
  expect(authenticate(undefined, keys, NOW).kind).toBe('unknown');
  expect(authenticate(keys[0]?.hash, keys, NOW).kind).toBe('unknown');
});

test('an expired key is told so', () => {
  expect(authenticate(EXPIRED_KEY, keys, NOW)).toEqual({
    kind: 'expired',
    expiresAt: '2020-01-01T00:00:00Z',
  });
  expect(authenticate(EXPIRED_KEY, keys, Date.parse('2019-12-31T23:59:59Z')).kind).toBe('known');
});

test('P6: a key file that mixes Test with public statuses, or the reserved area with others, is refused', () => {
  const [prefecture, canary] = keys;
  expect(ApiKeyFile.safeParse({ keys }).success).toBe(true);
  expect(
    ApiKeyFile.safeParse({ keys: [{ ...prefecture, statuses: ['Actual', 'Test'] }] }).success,
  ).toBe(false);
  expect(
    ApiKeyFile.safeParse({ keys: [{ ...prefecture, territory: ['06', 'ZZ999'] }] }).success,
  ).toBe(false);
  expect(ApiKeyFile.safeParse({ keys: [{ ...canary, territory: ['06'] }] }).success).toBe(false);
  expect(ApiKeyFile.safeParse({ keys: [prefecture, prefecture] }).success).toBe(false);
});
