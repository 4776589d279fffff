import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createReceiverKeys, decryptWebPush } from '../../../../../shared/web-push/decrypt.ts';
import { nodeSealer } from '../seal/node-sealer.ts';
import { pushPayload } from '../seal/push-payload.ts';
import type { WebPushKeys } from './fingerprint.ts';
import { KeptBodies } from './kept-bodies.ts';
import { PreparedStore } from './prepared-store.ts';
import { createPushEncryptor, decodeKeys } from './push-encryptor.ts';
import { BATCH_SLOT_BYTES, recordIn, writeKeys } from './record-batch.ts';
import { RecordWorker } from './record-worker.ts';
import {
  REPLENISHER_DEFAULTS,
  type Replenisher,
  type ReplenisherDeps,
  type ReplenisherOptions,
  startReplenisher,
} from './replenisher.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const receivers = Array.from({ length: 10 }, () => createReceiverKeys());
const allKeys = receivers.map(({ publicKey, auth }) => ({ p256dh: publicKey, auth }));

async function* pages(keys: readonly WebPushKeys[]) {
  for (let at = 0; at < keys.length; at += 4) yield await Promise.resolve(keys.slice(at, at + 4));
}

function started(options: Partial<ReplenisherOptions>, deps: Partial<ReplenisherDeps>) {
  const seen = { made: 0, deaths: 0, failures: 0 };
  const store = deps.store ?? new PreparedStore(100);
  const replenisher: Replenisher = startReplenisher(
    { ...REPLENISHER_DEFAULTS, batch: 3, pauseMs: 5, ...options },
    {
      store,
      readSubscriptions: () => pages(allKeys),
      isSending: () => false,
      events: {
        made: (count) => {
          seen.made += count;
        },
        workerDied: () => void seen.deaths++,
        passFailed: () => void seen.failures++,
      },
      random: () => 0.5,
      ...deps,
    },
  );
  open.push(replenisher);
  return { store, replenisher, seen };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('every subscription gets one record, which its receiver can open what is sealed with', async () => {
  const { store, seen } = started({}, {});
  await until(() => store.ready === 10);
  const kept = new KeptBodies(0);
  const encryptor = createPushEncryptor({ store, sealer: nodeSealer, kept });
  const payload = pushPayload(Buffer.from('alerte'));
  if (!payload) throw new Error('it fits');
  for (const [n, receiver] of receivers.entries()) {
    const body = encryptor.encrypt(payload, allKeys[n] ?? { p256dh: '', auth: '' });
    expect(decryptWebPush(body ?? Buffer.alloc(0), receiver).toString()).toBe('alerte');
  }
  expect(encryptor.counts).toEqual({ prepared: 10, on_the_spot: 0, kept: 0 });
  expect(seen).toEqual({ made: 10, deaths: 0, failures: 0 });
});

test('after an alert the next pass makes only what is missing, and drops what nobody wants', async () => {
  let keys = allKeys;
  const { store, replenisher, seen } = started({}, { readSubscriptions: () => pages(keys) });
  await until(() => store.ready === 10);
  const into = Buffer.alloc(114);
  for (const one of allKeys.slice(0, 3)) expect(store.take(one, into)).toBe(true);
  keys = allKeys.slice(0, 8);
  await until(() => {
    replenisher.wake();
    return store.ready === 8;
  });
  expect(seen.made).toBe(13);
  expect(store.take(allKeys[9] ?? { p256dh: '', auth: '' }, into)).toBe(false);
});

test('while an alert is being sent nothing is read and nothing made; afterwards it goes on', async () => {
  let isSending = true;
  let pagesRead = 0;
  const readSubscriptions = async function* () {
    for await (const page of pages(allKeys)) {
      pagesRead++;
      yield page;
    }
  };
  let asked = 0;
  const deps = {
    readSubscriptions,
    isSending: () => {
      asked++;
      return isSending;
    },
  };
  const { store } = started({}, deps);
  await until(() => asked >= 5);
  expect([pagesRead, store.ready]).toEqual([0, 0]);
  isSending = false;
  await until(() => store.ready === 10);
});

test('keys that are not valid are passed over, and a full store ends the making', async () => {
  const bad = { p256dh: Buffer.alloc(65, 4).toString('base64url'), auth: 'A'.repeat(22) };
  const short = { p256dh: 'AAAA', auth: 'AAAA' };
  const { store, seen } = started(
    {},
    {
      store: new PreparedStore(5),
      readSubscriptions: () => pages([bad, short, ...allKeys]),
    },
  );
  await until(() => store.ready === 5);
  expect([seen.made, seen.deaths]).toEqual([5, 0]);
});

test('F: the worker dies: it is started again, and the next pass makes what was lost', async () => {
  const marker = join(mkdtempSync(join(os.tmpdir(), 'replenisher-')), 'died');
  const real = new URL('replenish-worker.ts', import.meta.url).href;
  const script = `
    import { existsSync, writeFileSync } from 'node:fs';
    import { parentPort } from 'node:worker_threads';
    if (existsSync(${JSON.stringify(marker)})) await import(${JSON.stringify(real)});
    else parentPort.once('message', () => {
      writeFileSync(${JSON.stringify(marker)}, '');
      process.exit(3);
    });`;
  const { store, seen } = started(
    {
      workerScript: new URL(`data:text/javascript,${encodeURIComponent(script)}`),
      afterDeath: { firstMs: 1, maxMs: 2 },
      passEveryMs: 5,
    },
    {},
  );
  await until(() => store.ready === 10);
  expect(existsSync(marker)).toBe(true);
  expect(seen.deaths).toBe(1);
});

test('a registry that cannot be read ends the pass, drops no record, and is tried again', async () => {
  let fails = false;
  const readSubscriptions = async function* () {
    for await (const page of pages(allKeys)) {
      if (fails) throw new Error('damaged');
      yield page;
    }
  };
  const { store, replenisher, seen } = started({ passEveryMs: 60_000 }, { readSubscriptions });
  await until(() => store.ready === 10);
  fails = true;
  await until(() => {
    replenisher.wake();
    return seen.failures > 0;
  });
  expect(store.ready).toBe(10);
});

test('closing while a batch is being made ends the thread at once', async () => {
  const never = new URL(
    'data:text/javascript,import "node:worker_threads"; setInterval(() => {}, 1e9)',
  );
  let asked = 0;
  const deps = {
    isSending: () => {
      asked++;
      return false;
    },
  };
  const { store, replenisher, seen } = started({ workerScript: never }, deps);
  await until(() => asked > 1);
  await replenisher.close();
  expect([store.ready, seen.deaths]).toEqual([0, 0]);
});

test('a batch that takes too long ends its worker; the next one gets another', async () => {
  const never = new URL('data:text/javascript,setInterval(() => {}, 1e9)');
  let deaths = 0;
  const worker = new RecordWorker(
    { deadlineMs: 20, script: never },
    { onDeath: () => void deaths++ },
  );
  open.push({ close: () => worker.rest() });
  expect(await worker.make(new ArrayBuffer(128), 1)).toBeUndefined();
  expect(await worker.make(new ArrayBuffer(128), 1)).toBeUndefined();
  expect(deaths).toBe(2);
});

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux('records are made at the lowest priority, and everything else keeps its own', async () => {
  const before = os.getPriority();
  const worker = new RecordWorker({ deadlineMs: 15_000 }, { onDeath: () => undefined });
  open.push({ close: () => worker.rest() });
  const buffer = new ArrayBuffer(BATCH_SLOT_BYTES);
  writeKeys(Buffer.from(buffer), 0, decodeKeys(allKeys[0] ?? { p256dh: '', auth: '' }));
  const made = await worker.make(buffer, 1);
  expect(recordIn(Buffer.from(made ?? new ArrayBuffer(0)), 0)).toHaveLength(114);
  // The memory went along.
  expect(buffer.byteLength).toBe(0);
  const niceOf = (task: string): number => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  };
  expect(readdirSync('/proc/self/task').map(niceOf)).toContain(19);
  expect(os.getPriority()).toBe(before);
});

test('a slot with keys of other lengths is refused', () => {
  const batch = Buffer.alloc(BATCH_SLOT_BYTES);
  expect(writeKeys(batch, 0, { p256dh: randomBytes(64), auth: randomBytes(16) })).toBe(false);
  expect(writeKeys(batch, 0, { p256dh: randomBytes(65), auth: randomBytes(15) })).toBe(false);
});
