import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry as MetricsRegistry } from 'prom-client';
import { createLogger } from '../../../shared/log/logger.ts';
import type { RegistryRecord } from '../../../shared/subscription/registry-record.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import { Registry } from '../registry.ts';
import type { BatchResult } from './instance-id.ts';
import { type KeepMembersDeps, keepMembers } from './keep-members.ts';
import { createTopicEvents, createTopicMetrics } from './metrics.ts';
import { openTopicStore, TopicStore } from './topic-store.ts';

let dir: string;
let registry: Registry;
let store: TopicStore;
let told: string[];
let sequence = 0;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tocsin-topics-'));
  registry = new Registry(join(dir, 'registry.sqlite'));
  store = new TopicStore(join(dir, 'topics.sqlite'));
  told = [];
});
afterEach(() => {
  store.close();
  registry.close();
  rmSync(dir, { recursive: true });
});

function put(...records: RegistryRecord[]): void {
  registry.apply(
    records.map((record) => ({
      site: 'a',
      cursor: { created: 'then', sequence: ++sequence },
      record,
    })),
  );
}
function aDevice(n: number, area: string, version = 1): RegistryRecord {
  return {
    v: 1,
    state: 'active',
    version,
    probe: false,
    lastHeardAt: '2026-07-14T20:00:00.000Z',
    subscription: {
      deviceId: String(n).padStart(22, 'd'),
      address: { transport: 'fcm', token: `T${n}` },
      areaCodes: [area],
      language: 'fr-FR',
      appVersion: '1',
    },
  };
}

type Answer = (tokens: readonly string[]) => BatchResult;
const done: Answer = (tokens) => ({ kind: 'answered', results: tokens.map(() => 'done') });

/** Lets it run until the condition holds. */
async function keepUntil(isSo: () => boolean, answer: Answer = done): Promise<void> {
  const stop = new AbortController();
  const metrics = createTopicMetrics(new MetricsRegistry(), { members: () => 0, waiting: () => 0 });
  const deps: KeepMembersDeps = {
    registry,
    store,
    changeMembers: async (change, topic, tokens) => {
      const result = answer(tokens);
      told.push(`${result.kind} ${change} ${topic} ${[...tokens].sort()}`);
      return result;
    },
    isOwn: () => true,
    liveNodes: () => 1,
    isBusy: () => false,
    events: createTopicEvents(metrics, createLogger('dispatcher', 'a', 'silent')),
    now: Date.now,
    random: () => 0,
  };
  const options = { languages: ['fr'], changesPerSecond: 3_000, walkEveryMs: 20 };
  const keeping = keepMembers(options, deps, stop.signal);
  const deadline = Date.now() + 5_000;
  while (!isSo() && Date.now() < deadline) await sleep(5);
  stop.abort();
  await keeping;
  expect(isSo()).toBe(true);
}

test('everybody joins their topics in one request for each, and nothing is told twice', async () => {
  put(aDevice(1, '06088'), aDevice(2, '06088'), aDevice(3, '06029'));
  await keepUntil(() => store.members === 3 && store.waiting === 0);
  expect([...told].sort()).toEqual([
    'answered add tocsin.public.at-06029.fr T3',
    'answered add tocsin.public.at-06088.fr T1,T2',
    'answered add tocsin.public.in-06.fr T1,T2,T3',
  ]);
  const before = told.length;
  put(aDevice(4, '13055'));
  await keepUntil(() => store.members === 4 && store.waiting === 0);
  expect(told.slice(before).every((each) => each.endsWith(' T4'))).toBe(true);
});

test('another area removes from what is left; an unsubscription from all', async () => {
  put(aDevice(1, '06088'), aDevice(2, '06088'));
  await keepUntil(() => store.members === 2 && store.waiting === 0);
  told = [];
  put(aDevice(1, '13055', 2), {
    v: 1,
    state: 'removed',
    version: 2,
    deviceId: String(2).padStart(22, 'd'),
    reason: 'unsubscribed',
  });
  await keepUntil(() => told.length >= 4 && store.waiting === 0);
  expect([...told].sort()).toEqual([
    'answered add tocsin.public.at-13055.fr T1',
    'answered add tocsin.public.in-13.fr T1',
    'answered remove tocsin.public.at-06088.fr T1,T2',
    'answered remove tocsin.public.in-06.fr T1,T2',
  ]);
});

test('a restart goes on where it was: what was told is not told again, what was not is', async () => {
  put(aDevice(1, '06088'));
  let requests = 0;
  const oneThenNone: Answer = (tokens) =>
    ++requests === 1 ? done(tokens) : { kind: 'later', retryAfterMs: 60_000 };
  await keepUntil(() => told.length === 2, oneThenNone);
  expect(store.waiting).toBe(1);
  store.close();
  store = new TopicStore(join(dir, 'topics.sqlite'));
  expect([store.members, store.waiting]).toEqual([1, 1]);
  await keepUntil(() => store.waiting === 0);
  expect(told).toEqual([
    'answered add tocsin.public.at-06088.fr T1',
    'later add tocsin.public.in-06.fr T1',
    'answered add tocsin.public.in-06.fr T1',
  ]);
});

test('P9: a token that Google does not know is not asked about again, and stays a subscriber', async () => {
  put(aDevice(1, '06088'), aDevice(2, '06088'));
  const refuseFirst: Answer = (tokens) => ({
    kind: 'answered',
    results: tokens.map((token) => (token === 'T1' ? 'refused' : 'done')),
  });
  await keepUntil(() => store.members === 2 && store.waiting === 0, refuseFirst);
  await keepUntil(() => true);
  expect(told).toHaveLength(2);
  expect(registry.size()).toBe(2);
});

test('P12: what Google can say nothing about is asked five times', async () => {
  put(aDevice(1, '06'));
  const fail: Answer = (tokens) => ({ kind: 'answered', results: tokens.map(() => 'failed') });
  await keepUntil(() => told.length >= 10 && store.waiting === 0, fail);
  expect(told).toHaveLength(10);
});

test('a later word about a token is not lost in the answer to an earlier one', () => {
  const change = { topic: 't', token: 'T1' };
  store.note([{ deviceId: 'd', next: undefined, changes: [{ ...change, change: 'add' }] }], '');
  const first = store.nextBatch(10);
  store.note([{ deviceId: 'd', next: undefined, changes: [{ ...change, change: 'remove' }] }], '');
  store.settle(first?.changes ?? [], []);
  expect(store.nextBatch(10)).toMatchObject({ change: 'remove', topic: 't' });
  expect(store.waiting).toBe(1);
});

test('a file that cannot be read is made anew', () => {
  const path = join(dir, 'broken.sqlite');
  writeFileSync(path, 'this is no database, whatever its name says, and it is long enough');
  let why: unknown;
  const made = openTopicStore(path, (error) => {
    why = error;
  });
  expect(why).toBeDefined();
  expect([made.members, made.waiting, made.walkAfter]).toEqual([0, 0, '']);
  made.close();
});
