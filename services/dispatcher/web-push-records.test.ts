import { expect, test } from '@jest/globals';
import type { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import type { WebPushAddress } from '../../shared/subscription/subscription.ts';
import { readSubscriptions } from './web-push-records.ts';

const record = (i: number, endpoint: string | undefined): RegistryRecord => ({
  v: 1,
  state: 'active',
  version: 1,
  probe: false,
  lastHeardAt: '2026-07-14T20:00:00Z',
  subscription: {
    deviceId: String(i).padStart(22, '0'),
    address:
      endpoint === undefined
        ? { transport: 'fcm', token: `token-${i}` }
        : { transport: 'web-push', endpoint, keys: { p256dh: `key-${i}`, auth: 'A'.repeat(22) } },
    areaCodes: ['06088'],
    language: 'fr-FR',
    appVersion: '1',
  },
});

/** Stands for the replica: pages of what is there. */
function registryOf(records: readonly RegistryRecord[]) {
  return {
    goodRecords: (after: string, limit: number) => {
      const from = after === '' ? 0 : Number(after);
      const last = from + limit < records.length ? String(from + limit) : undefined;
      return { records: records.slice(from, from + limit), last };
    },
  };
}

test('every Web Push subscription is read once, and the services that most devices are with are told first', async () => {
  const endpointOf = (i: number) => {
    if (i % 4 === 0) return undefined;
    return i % 4 === 1 ? `https://rare.example/${i}` : `https://common.example/${i}`;
  };
  const records = Array.from({ length: 1_001 }, (_, i) => record(i, endpointOf(i)));
  const gone: RegistryRecord = {
    v: 1,
    state: 'removed',
    version: 2,
    deviceId: 'g'.repeat(22),
    reason: 'gone',
  };
  let told: readonly WebPushAddress[] = [];
  const keys: string[] = [];
  for await (const page of readSubscriptions(registryOf([...records, gone]), (services) => {
    told = services;
  }))
    keys.push(...page.map(({ p256dh }) => p256dh));
  expect(keys).toEqual(records.flatMap((_, i) => (i % 4 === 0 ? [] : [`key-${i}`])));
  expect(told.map(({ endpoint }) => new URL(endpoint).host)).toEqual([
    'common.example',
    'rare.example',
  ]);
});
