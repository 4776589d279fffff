import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { createDispatcherEvents } from './events.ts';
import { createDispatcherMetrics } from './metrics.ts';
import { Quarantine } from './quarantine.ts';
import { Registry } from './registry.ts';
import { createJudge, createRemoveGone } from './remove-gone.ts';
import { activeRecord, testId as id } from './test-support/active-record.ts';

let folder: string;
let quarantine: Quarantine;
let registry: Registry;
let nowMs: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quarantine-'));
  quarantine = new Quarantine(join(folder, 'quarantine.sqlite'));
  registry = new Registry(':memory:');
  nowMs = 1_000_000;
});
afterEach(() => {
  quarantine.close();
  registry.close();
  rmSync(folder, { recursive: true });
});

const ids = (count: number) => Array.from({ length: count }, (_, i) => id(i));

function register(deviceId: string, version: number): void {
  registry.apply([{ record: activeRecord(deviceId, { version }) }]);
}

function parts() {
  const metrics = createDispatcherMetrics(createMetricsRegistry('dispatcher', 'a'));
  const events = createDispatcherEvents(metrics, createLogger('dispatcher', 'a', 'silent'));
  const deps = { registry, quarantine, buses: [], events, now: () => nowMs };
  return { removeGone: createRemoveGone(deps), judge: createJudge('a', deps) };
}

test('P9: a storm is kept, listed, and still subscribed; a few are removed as ever', () => {
  for (const deviceId of ids(100)) register(deviceId, 1);
  const { removeGone } = parts();
  removeGone('fcm', ids(40), 100);
  expect(registry.size()).toBe(100);
  removeGone('web-push', [id(99)], 100);
  expect(registry.size()).toBe(99);
  const at = new Date(nowMs).toISOString();
  const list = quarantine.list('a');
  expect(list.transports).toEqual([{ transport: 'fcm', count: 40, oldest: at, newest: at }]);
  expect(list.devices).toHaveLength(40);
});

test('P9: what the disk does not take ends nothing: who was to be kept or removed stays subscribed', async () => {
  for (const deviceId of ids(100)) register(deviceId, 1);
  const { removeGone } = parts();
  quarantine.close();
  registry.close();
  expect(() => removeGone('fcm', ids(40), 100)).not.toThrow();
  expect(() => removeGone('web-push', [id(99)], 100)).not.toThrow();
  await setImmediate();
  quarantine = new Quarantine(join(folder, 'quarantine.sqlite'));
  registry = new Registry(':memory:');
  expect(quarantine.size).toBe(0);
});

test('who is accepted again has left quarantine', () => {
  const { removeGone } = parts();
  removeGone('fcm', ids(40), 100);
  quarantine.accepted(id(7));
  quarantine.accepted(id(7));
  quarantine.accepted(id(1_000));
  expect(quarantine.size).toBe(39);
  expect(quarantine.counts()).toMatchObject([{ count: 39 }]);
});

test('released: they stay subscribers. Dropped: they are removed, but not who registered again since', async () => {
  for (const deviceId of ids(60)) register(deviceId, 1);
  const { removeGone, judge } = parts();
  removeGone('fcm', ids(30), 60);
  expect(await judge({ action: 'release' })).toEqual({
    v: 1,
    node: 'a',
    action: 'release',
    judged: 30,
    removed: 0,
    remaining: false,
  });
  expect(registry.size()).toBe(60);
  expect(quarantine.size).toBe(0);

  removeGone('fcm', ids(30), 60);
  register(id(3), 2);
  expect(await judge({ action: 'drop' })).toMatchObject({ judged: 30, removed: 29 });
  expect(registry.size()).toBe(31);
  expect(registry.recipient(id(3))).toMatchObject({ deviceId: id(3) });
  expect(registry.recipient(id(4))).toBeUndefined();
});

test('a judgement can be for one transport, or for what happened before an instant', async () => {
  const { removeGone, judge } = parts();
  removeGone('fcm', ids(30), 60);
  nowMs += 60_000;
  removeGone('fcm', ids(60).slice(30), 60);
  removeGone('web-push', ids(90).slice(60), 60);
  const olderThan = new Date(nowMs).toISOString();
  expect(await judge({ action: 'release', transport: 'web-push', olderThan })).toMatchObject({
    judged: 0,
  });
  expect(await judge({ action: 'release', transport: 'web-push' })).toMatchObject({ judged: 30 });
  expect(await judge({ action: 'release', olderThan })).toMatchObject({ judged: 30 });
  expect(quarantine.size).toBe(30);
});

test('it outlives a restart, and has a bound: the oldest fall out and stay subscribed', () => {
  const { removeGone } = parts();
  removeGone('fcm', ids(30), 60);
  quarantine.close();
  quarantine = new Quarantine(join(folder, 'quarantine.sqlite'), 40);
  expect(quarantine.size).toBe(30);
  nowMs += 1;
  quarantine.put(
    ids(50)
      .slice(30)
      .map((deviceId) => ({ deviceId, transport: 'web-push', atMs: nowMs, version: 1 })),
  );
  expect(quarantine.counts()).toMatchObject([
    { transport: 'fcm', count: 20 },
    { transport: 'web-push', count: 20 },
  ]);
});
