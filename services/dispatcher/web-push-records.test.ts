import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from '@jest/globals';
import type { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import type { WebPushAddress } from '../../shared/subscription/subscription.ts';
import { FairShare } from './fair-share.ts';
import { Registry } from './registry.ts';
import { isSendingAlert, readSubscriptions } from './web-push-records.ts';

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
    damaged: false,
    fileNumber: 0,
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

/** Reads all there is; the registry is harmed behind the first page. */
async function readWhile(registry: Registry, harm: () => void): Promise<number> {
  let read = 0;
  for await (const page of readSubscriptions(registry, () => undefined)) {
    if (read === 0) harm();
    read += page.length;
  }
  return read;
}

function filled(path: string): Registry {
  const registry = new Registry(path);
  registry.apply(
    Array.from({ length: 500 }, (_, i) => ({ record: record(i, `https://push.example/${i}`) })),
  );
  return registry;
}

test('F: a pass over a registry that is damaged or replaced meanwhile says so: nothing that it did not meet is dropped', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  const path = join(folder, 'registry.sqlite');
  const registry = filled(path);
  const other = filled(`${path}.filling`);
  other.close();
  try {
    await expect(readWhile(registry, () => undefined)).resolves.toBe(500);
    await expect(readWhile(registry, () => registry.replaceBy(`${path}.filling`))).rejects.toThrow(
      'replaced',
    );
    const db = new DatabaseSync(path);
    db.exec('UPDATE devices SET checksum = checksum + 1 WHERE n = 250');
    db.close();
    await expect(readWhile(registry, () => undefined)).rejects.toThrow('damaged');
  } finally {
    registry.close();
    rmSync(folder, { recursive: true });
  }
});

test('records are made beside slow retries and canaries; while an alert is on its way they wait', () => {
  const share = new FairShare(1_000);
  const isSending = () => isSendingAlert([new FairShare(10), share], () => false);
  const canary = share.join(1, 'test');
  for (let i = 0; i < 50; i++) expect(share.takeFree(canary, 'first')).toBe(true);
  const old = share.join(1);
  for (let i = 0; i < 250; i++) expect(share.takeFree(old, 'retry')).toBe(true);
  expect(isSending()).toBe(false);
  const alert = share.join(8);
  for (let i = 0; i < 60; i++) expect(share.takeFree(alert, 'first')).toBe(true);
  expect(isSending()).toBe(true);
  for (let i = 0; i < 60; i++) share.release('first', { kind: 'accepted' });
  expect(isSending()).toBe(false);
  expect(isSendingAlert([share], () => true)).toBe(true);
});
