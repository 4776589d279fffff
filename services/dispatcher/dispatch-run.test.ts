import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry as MetricsRegistry } from 'prom-client';
import { reachOf } from '../../shared/alert/area.ts';
import type { Envelope } from '../../shared/envelope/envelope.ts';
import { createLogger } from '../../shared/log/logger.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { ActiveRecord } from '../../shared/subscription/registry-record.ts';
import { finestShard } from '../../shared/subscription/shard.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { anAlert, signedEnvelope } from '../../tests/support/alert-builder.ts';
import { NOBODY_TO_ASK } from './ask-first.ts';
import { DispatchRun, type RunDeps } from './dispatch-run.ts';
import { createDispatcherEvents } from './events.ts';
import { FairShare } from './fair-share.ts';
import { createDispatcherMetrics } from './metrics.ts';
import { Registry } from './registry.ts';
import type { Outcome } from './transports/transport.ts';
import { RouteTrust } from './trust.ts';

const SHARDS = 4;
const down: Outcome = { kind: 'unavailable', reason: 'timeout', retryAfterMs: 0 };
const slowDown: Outcome = { kind: 'throttled', scope: 'device', retryAfterMs: 0 };
const accepted: Outcome = { kind: 'accepted' };

let folder: string;
let registry: Registry;
let envelope: Envelope;
let offsetMs: number;
let sent: string[];
let receipts: CompletionReceipt[];
let trust: RouteTrust;
let runs: DispatchRun[];
const now = () => Date.now() + offsetMs;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dispatch-run-'));
  registry = new Registry(join(folder, 'registry.sqlite'));
  ({ envelope } = await signedEnvelope(anAlert({ identifier: 'one' }), { shards: SHARDS }));
  offsetMs = 0;
  sent = [];
  receipts = [];
  runs = [];
  trust = new RouteTrust(now);
});
afterEach(() => {
  for (const run of runs) run.stop('open');
  registry.close();
  rmSync(folder, { recursive: true });
});

const id = (i: number) => `device-${String(i).padStart(15, '0')}`;
const shardOf = (deviceId: string) => Math.floor(finestShard(deviceId) / (1024 / SHARDS));
const inShards = (ids: readonly string[], ...shards: number[]) =>
  ids.filter((each) => shards.includes(shardOf(each)));

function devices(count: number): string[] {
  const ids = Array.from({ length: count }, (_, i) => id(i));
  registry.apply(ids.map((deviceId) => ({ record: record(deviceId, 1) })));
  return ids;
}

function record(deviceId: string, version: number, webPush = false): ActiveRecord {
  const keys = { p256dh: 'B'.repeat(87), auth: 'A'.repeat(22) };
  return {
    v: 1,
    state: 'active',
    version,
    probe: false,
    lastHeardAt: '2026-07-14T20:00:00Z',
    subscription: {
      deviceId,
      address: webPush
        ? { transport: 'web-push', endpoint: `https://push.example/${deviceId}`, keys }
        : { transport: 'fcm', token: `token-of-${deviceId}` },
      areaCodes: ['06088'],
      language: 'fr-FR',
      appVersion: '1',
    },
  };
}

/** What the provider makes of the n-th try (from 1) of a device. */
type Script = (
  deviceId: string,
  attempt: number,
  signal: AbortSignal,
) => Outcome | Promise<Outcome>;

function aRun(script: Script, more: Partial<RunDeps> = {}): DispatchRun {
  const tries = new Map<string, number>();
  const run = new DispatchRun(
    {
      envelope,
      transport: 'fcm',
      filter: { kind: 'public', reach: reachOf(['06088']) },
      messageFor: () => ({
        alertId: envelope.id,
        signedMessage: '',
        via: 'a',
        title: '',
        body: '',
        msgType: 'Alert',
        tag: '',
        expiresAtMs: 0,
        quiet: false,
      }),
      weight: 1,
    },
    {
      node: 'a',
      nodes: ['a'],
      registry,
      send: ({ deviceId, address }, _message, signal, settle) => {
        if (address.transport !== 'fcm') throw new Error('not an FCM address');
        const attempt = (tries.get(deviceId) ?? 0) + 1;
        tries.set(deviceId, attempt);
        sent.push(deviceId);
        void Promise.resolve(script(deviceId, attempt, signal)).then(settle);
      },
      share: new FairShare(50),
      trust,
      silent: () => false,
      unanswering: () => false,
      publishReceipt: (receipt) => receipts.push(receipt),
      reportGone: () => undefined,
      isReplicaWhole: () => true,
      askFirst: NOBODY_TO_ASK,
      stillRight: () => Promise.resolve(),
      events: createDispatcherEvents(
        createDispatcherMetrics(new MetricsRegistry()),
        createLogger('dispatcher', 'a', 'silent'),
      ),
      now,
      ...more,
    },
  );
  runs.push(run);
  return run;
}

const hang: Script = (_id, _attempt, signal) =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ ...down, reason: 'aborted' }), { once: true });
  });

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 8_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come to that in time');
    await sleep(10);
  }
}

function peerReceipt(shard: number, more: Partial<CompletionReceipt> = {}): CompletionReceipt {
  return {
    v: 1,
    alertId: envelope.id,
    transport: 'fcm',
    shard,
    shards: SHARDS,
    node: 'b',
    counts: { accepted: 1, gone: 0, rejected: 0, dropped: 0 },
    pending: [],
    revision: 0,
    at: new Date(now()).toISOString(),
    ...more,
  };
}

function prove(...nodes: string[]): void {
  const proofs = nodes.map((dispatcher) => ({
    path: { ingest: 'a', lane: 'bus' as const, dispatcher, transport: 'fcm' as const },
    ageMs: 0,
    latencyMs: 1,
  }));
  trust.note({ v: 1, canary: 'a', proofs }, now());
}

const lastReceipts = () => [
  ...new Map(receipts.map((receipt) => [receipt.shard, receipt])).values(),
];

test('P2: everybody is sent to once, slice after slice, and each shard gets its receipt after its sends', async () => {
  const ids = devices(1_500);
  const run = aRun(() => accepted, {
    publishReceipt: (receipt) => {
      receipts.push(receipt);
      expect(inShards(sent, receipt.shard)).toHaveLength(receipt.counts.accepted);
    },
  });
  expect(await run.run([])).toBe('done');
  expect([...sent].sort()).toEqual(ids);
  expect(receipts.map(({ shard }) => shard).sort()).toEqual([0, 1, 2, 3]);
  expect(run.progress()).toMatchObject({
    audience: 1_500,
    counts: { accepted: 1_500 },
    pending: 0,
    shardsOwn: 4,
  });
});

test('P2: nobody in the area is a run that ends', async () => {
  expect(await aRun(() => accepted).run([])).toBe('done');
  expect(receipts).toHaveLength(4);
});

test('P2: throttled and unavailable devices are tried until they are accepted; gone and rejected ones never again', async () => {
  const ids = devices(40);
  const gone: string[] = [];
  const run = aRun(
    (deviceId, attempt) => {
      const i = ids.indexOf(deviceId);
      if (i === 0) return { kind: 'gone' };
      if (i === 1) return { kind: 'rejected', reason: 'too-large' };
      if (attempt > 3) return accepted;
      return i % 2 === 0 ? down : slowDown;
    },
    { reportGone: (_transport, deviceIds) => gone.push(...deviceIds) },
  );
  const ended = run.run([]);
  const skipping = setInterval(() => {
    offsetMs += 1_000;
  }, 50);
  try {
    expect(await ended).toBe('done');
  } finally {
    clearInterval(skipping);
  }
  expect(sent).toHaveLength(38 * 4 + 2);
  expect(run.progress()).toMatchObject({
    counts: { accepted: 38, gone: 1, rejected: 1, dropped: 0 },
    pending: 0,
  });
  expect(gone).toEqual([ids[0]]);
  // The last word on each shard leaves nobody pending; the first one named all who were.
  expect(lastReceipts().flatMap((receipt) => receipt.pending)).toEqual([]);
  const isFirst = ({ shard }: CompletionReceipt, i: number) =>
    receipts.findIndex((each) => each.shard === shard) === i;
  expect(
    receipts
      .filter(isFirst)
      .flatMap((receipt) => receipt.pending)
      .sort(),
  ).toEqual(ids.slice(2));
});

test('P2: with a replica that may lack people nothing is claimed; once it is whole everything is gone through again', async () => {
  const ids = devices(20);
  let isWhole = false;
  const run = aRun(() => accepted, { isReplicaWhole: () => isWhole });
  const ended = run.run([]);
  await until(() => sent.length === ids.length && run.settled);
  expect(receipts).toEqual([]);
  devices(25);
  isWhole = true;
  expect(await ended).toBe('done');
  expect(new Set(sent).size).toBe(25);
  expect(receipts.map(({ shard }) => shard).sort()).toEqual([0, 1, 2, 3]);
});

test('P12: a receipt that names many is not said at every tick', async () => {
  const ids = devices(300);
  const run = aRun((_id, attempt) => (attempt > 3 ? accepted : down));
  const ended = run.run([]);
  await until(() => sent.length >= ids.length);
  const startMs = Date.now();
  await sleep(2_500);
  const seconds = (Date.now() - startMs) / 1_000;
  run.stop('open');
  await ended;
  expect(receipts.length).toBeLessThanOrEqual(SHARDS * (seconds + 2));
});

test('P3: the expiry ends sends in flight, retries and the run', async () => {
  devices(100);
  const run = aRun((deviceId, attempt, signal) =>
    deviceId < id(50) ? hang(deviceId, attempt, signal) : down,
  );
  const ended = run.run([]);
  await until(() => sent.length >= 50);
  offsetMs = Date.parse(envelope.expiresAt) - Date.now();
  expect(await ended).toBe('expired');
  const count = sent.length;
  await sleep(300);
  expect(sent).toHaveLength(count);
});

test('P3: an alert that has expired before it begins sends nothing', async () => {
  devices(10);
  offsetMs = Date.parse(envelope.expiresAt) - Date.now();
  expect(await aRun(() => accepted).run([])).toBe('expired');
  expect(sent).toEqual([]);
  expect(receipts).toEqual([]);
});

test('P3: a Cancel stops it: what waits for a place is not sent, and no receipt claims it', async () => {
  devices(1_000);
  const run = aRun(hang);
  const ended = run.run([]);
  await until(() => sent.length === 50);
  run.stop('cancelled');
  expect(await ended).toBe('cancelled');
  expect(sent).toHaveLength(50);
  expect(receipts).toEqual([]);
});

test('P7: an envelope that is no longer right stops the run before the slice', async () => {
  devices(1_000);
  let checks = 0;
  const run = aRun(() => accepted, {
    stillRight: () => (++checks > 1 ? Promise.reject(new Error('tampered')) : Promise.resolve()),
  });
  await expect(run.run([])).rejects.toThrow('tampered');
  expect(sent.length).toBeLessThanOrEqual(200);
});

test('a later life takes up its own receipts and sends only what was left', async () => {
  const ids = devices(200);
  const [left] = inShards(ids, 1);
  const own = (shard: number, pending: string[] = []) =>
    peerReceipt(shard, { node: 'a', pending, revision: 4 });
  const run = aRun(() => accepted);
  expect(await run.run([own(0), own(1, left === undefined ? [] : [left]), own(2)])).toBe('done');
  expect(left).toBeDefined();
  expect([...sent].sort()).toEqual([...inShards(ids, 3), left].sort());
  expect(receipts.find(({ shard }) => shard === 1)).toMatchObject({ pending: [] });
  expect(receipts.find(({ shard }) => shard === 1)?.revision).toBeGreaterThan(4);
});

const two: Partial<RunDeps> = { nodes: ['a', 'b'] };

test('what a proved peer has done is left to it, and the run ends when a proof comes after its word', async () => {
  const ids = devices(200);
  prove('a', 'b');
  offsetMs += 1_000;
  const run = aRun(() => accepted, two);
  const ended = run.run([peerReceipt(2), peerReceipt(3)]);
  await until(() => run.settled && receipts.length === 2);
  expect([...sent].sort()).toEqual(inShards(ids, 0, 1));
  prove('b');
  run.reconsider();
  expect(await ended).toBe('done');
  expect([...sent].sort()).toEqual(inShards(ids, 0, 1));
});

test('P2: what an unproved peer has done is done again', async () => {
  const ids = devices(200);
  prove('a');
  expect(await aRun(() => accepted, two).run([peerReceipt(2), peerReceipt(3)])).toBe('done');
  expect([...sent].sort()).toEqual(ids);
});

test('P2: a peer whose proof lapses is covered then', async () => {
  const ids = devices(200);
  prove('b');
  offsetMs += 1;
  const run = aRun(() => accepted, two);
  const ended = run.run([peerReceipt(2), peerReceipt(3)]);
  await until(() => run.settled && receipts.length === 2);
  expect(sent).toHaveLength(inShards(ids, 0, 1).length);
  offsetMs += 150_001;
  run.reconsider();
  expect(await ended).toBe('done');
  expect([...sent].sort()).toEqual(ids);
});

test('P2: what a silent peer had left is taken over once, tried until accepted, and said', async () => {
  const ids = devices(200);
  const left = inShards(ids, 3).slice(0, 3);
  prove('a', 'b');
  offsetMs += 1;
  const run = aRun(
    (deviceId, attempt) => (left.includes(deviceId) && attempt === 1 ? down : accepted),
    {
      ...two,
      silent: () => true,
    },
  );
  const ended = run.run([peerReceipt(2), peerReceipt(3, { pending: left })]);
  await until(() => receipts.some(({ shard, pending }) => shard === 3 && pending.length === 0));
  prove('b');
  run.reconsider();
  expect(await ended).toBe('done');
  expect(sent.filter((each) => shardOf(each) === 3).sort()).toEqual([...left, ...left].sort());
  expect(inShards(sent, 2)).toEqual([]);
  const ofShard = receipts.filter(({ shard }) => shard === 3);
  expect(ofShard[0]).toMatchObject({ takenOverFrom: 'b', pending: left });
  expect(ofShard.at(-1)).toMatchObject({
    takenOverFrom: 'b',
    pending: [],
    counts: { accepted: 3 },
  });
});

test('P2: a shard that is done whole after its leftovers says so in a newer receipt', async () => {
  const ids = devices(200);
  const left = inShards(ids, 3).slice(0, 3);
  prove('a', 'b');
  offsetMs += 1;
  const run = aRun(() => accepted, { ...two, silent: () => true });
  const ended = run.run([peerReceipt(2), peerReceipt(3, { pending: left })]);
  await until(() => receipts.some(({ shard, pending }) => shard === 3 && pending.length === 0));
  // Nobody heard of b any more: its word is not good, so everything is done again.
  offsetMs += 150_001;
  run.reconsider();
  expect(await ended).toBe('done');
  const newest = receipts
    .filter(({ shard }) => shard === 3)
    .sort((a, b) => b.revision - a.revision)[0];
  expect(newest).not.toHaveProperty('takenOverFrom');
  expect(newest?.counts.accepted).toBe(inShards(ids, 3).length);
});

test('P2: a device that left is not tried again, nor one that came back by another transport', async () => {
  const [moved = '', left = ''] = devices(2);
  const run = aRun((_id, attempt) => (attempt === 1 ? down : accepted));
  const ended = run.run([]);
  await until(() => sent.length === 2);
  registry.apply([
    { record: record(moved, 2, true) },
    { record: { v: 1, state: 'removed', version: 2, deviceId: left, reason: 'unsubscribed' } },
  ]);
  offsetMs += 10_000;
  expect(await ended).toBe('done');
  expect(sent).toHaveLength(2);
  expect(run.progress()).toMatchObject({ pending: 0, counts: { accepted: 0, dropped: 2 } });
});

test('P6: a canary’s alert whose recipients were chosen wrongly is stopped before each send to a person, and counted', async () => {
  const people = devices(6);
  const probe = id(99);
  registry.apply([{ record: { ...record(probe, 1), probe: true } }]);
  const publicEnvelope = envelope;
  envelope = { ...publicEnvelope, audience: 'canary' };
  const metrics = createDispatcherMetrics(new MetricsRegistry());
  const events = createDispatcherEvents(metrics, createLogger('dispatcher', 'a', 'silent'));
  const counted = async () => (await metrics.canaryToPublic.get()).values.map(({ value }) => value);
  // The filter of this run is that of a public alert: the mistake.
  const run = aRun(() => accepted, { events });
  void run.run([]);
  await until(() => sent.length > 0 && run.settled);
  expect(sent).toEqual([probe]);
  expect(await counted()).toEqual([people.length, 0]);

  envelope = publicEnvelope;
  sent = [];
  const real = aRun(() => accepted, { events });
  void real.run([]);
  await until(() => real.settled);
  expect(sent).toHaveLength(people.length + 1);
  expect(await counted()).toEqual([people.length, 0]);
  const recipients = (await metrics.recipients.get()).values;
  expect(recipients.map(({ value }) => value)).toEqual([people.length + 1, 0]);
});
