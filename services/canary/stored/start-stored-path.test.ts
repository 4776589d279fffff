import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createInMemoryStore } from '../../../shared/device/in-memory-store.ts';
import { createVerifier } from '../../../shared/envelope/signature.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import { startTestSandbox, type TestSandbox } from '../../../tests/support/sandbox-tls.ts';
import { createSigningKey, publicHalves, testAlert } from '../../../tests/support/signed-alerts.ts';
import { createCanaryEvents } from '../events.ts';
import { judgePath, newPathRecord } from '../judge.ts';
import { createCanaryMetrics } from '../metrics.ts';
import { allPaths } from '../paths.ts';
import { createProviderSender, type ProviderSender } from '../test-support/provider-sender.ts';
import {
  API_KEY,
  INTERNAL_TOKEN,
  type StandInSystem,
  startStandInSystem,
} from '../test-support/stand-in-system.ts';
import { startStoredPath } from './start-stored-path.ts';
import { createStoredMetrics } from './stored-metrics.ts';

jest.setTimeout(60_000);

const canaryKey = createSigningKey('canary');
const publicKey = createSigningKey('public');
const log = createLogger('canary', 'a', 'silent');
let folder: string;
let sandbox: TestSandbox;
let sender: ProviderSender;
let system: StandInSystem;
let stop: AbortController;
let close: () => Promise<void> = async () => undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-stored-'));
  sandbox = await startTestSandbox();
  sender = await createProviderSender(sandbox);
  system = await startStandInSystem(() => sender, canaryKey);
});

afterEach(async () => {
  await close();
  close = async () => undefined;
  await system.close();
  sender.close();
  await sandbox.destroy();
  rmSync(folder, { recursive: true, force: true });
});

function start() {
  stop = new AbortController();
  const registry = createMetricsRegistry('canary', 'a');
  const metrics = createCanaryMetrics(registry, { paths: [], probes: [], stored: 'a-stored' });
  const devices = new Map<object, ReturnType<typeof createInMemoryStore>>();
  const paths = allPaths(['a'], ['a']).map((path) => newPathRecord(path, Date.now()));
  const stored = startStoredPath(
    {
      probeName: 'a-stored',
      autopushUrl: `${sandbox.receiversUrl}/`,
      vapidPublicKey: sender.vapid.publicKey,
      dataDir: folder,
      periodMs: 2_000,
      edgeUrls: [system.url],
      internalToken: INTERNAL_TOKEN,
      raising: {
        canary: 'a',
        sender: 'canary-a@alerte.example',
        apiKey: API_KEY,
        limitMs: 1_000,
        ingests: [{ name: 'a', site: 'a', url: system.url }],
      },
    },
    {
      verifyAlert: createVerifier(publicHalves(canaryKey, publicKey), 'alert'),
      deviceOf: (probe) => {
        const store = devices.get(probe) ?? createInMemoryStore();
        devices.set(probe, store);
        const verify = createVerifier(publicHalves(canaryKey, publicKey), 'alert');
        return { verify, accepts: ['canary', 'public'], store, now: Date.now };
      },
      log,
      metrics: createStoredMetrics(registry, 'a-stored', 2),
      events: createCanaryEvents(log, metrics, Date.now),
      judged: () =>
        paths.map((record) => judgePath(record, Date.now(), { periodMs: 2_000, limitMs: 1_000 })),
      wallNow: Date.now,
      now: Date.now,
      random: Math.random,
      signal: stop.signal,
    },
  );
  close = async () => {
    stop.abort();
    await stored.running;
    await stored.close();
  };
  const value = async (name: string) => {
    const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(name));
    return Number(line?.split(' ').at(-1));
  };
  return { stored, value };
}

async function until(what: string, condition: () => Promise<boolean> | boolean, limitMs = 20_000) {
  for (const deadline = Date.now() + limitMs; !(await condition()); ) {
    if (Date.now() > deadline) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const faults = (changes: object) =>
  fetch(`${sandbox.controlUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(changes),
  });

test('P5: what was sent while the probe was off is found, verified and acknowledged when it is switched on', async () => {
  const { stored, value } = start();
  expect(stored.state().judged.state).toBe('not-measured');
  await until('the stored path is proved', () => stored.state().judged.state === 'proved');
  expect(await value('canary_stored_last_receipt_timestamp_seconds')).toBeGreaterThan(
    Date.now() / 1000 - 10,
  );
  expect(await value('canary_stored_period_seconds')).toBe(2);
  // A real alert of meanwhile is found as well, once: what was acknowledged is not given again.
  await until('the next alert is raised', () => system.alerts.length >= 2);
  await system.sendToAll(testAlert({ identifier: 'real' }), publicKey);
  const proofs = () => value('canary_stored_rounds_total{probe="a-stored",result="proved"');
  const before = await proofs();
  await until('two more proofs', async () => (await proofs()) >= before + 2);
  expect(await value('canary_witnesses_total{probe="a-stored"')).toBe(1);
  expect(await value('canary_refused_total{reason="unknown-nonce"')).toBe(0);
});

test('P5: a push service that accepts and keeps nothing leaves the stored path unproved', async () => {
  const { stored, value } = start();
  await until('the stored path is proved', () => stored.state().judged.state === 'proved');
  await faults({ webPush: { blackHole: true } });
  const accepted = system.accepted();
  await until('it is unproved', () => stored.state().judged.state === 'unproved');
  expect(system.accepted()).toBeGreaterThan(accepted);
  expect(
    await value('canary_stored_rounds_total{probe="a-stored",result="not-received"'),
  ).toBeGreaterThan(0);
  await faults({});
  await until('it is proved again', () => stored.state().judged.state === 'proved');
});

test('an ingest that refuses is named as such, and the next life keeps the address', async () => {
  const first = start();
  await until('the stored path is proved', () => first.stored.state().judged.state === 'proved');
  await close();
  const before = new Map(system.subscriptions);
  system.subscriptions.clear();
  system.refuseWith(503);
  const second = start();
  await until(
    'a refused round',
    async () =>
      (await second.value('canary_stored_rounds_total{probe="a-stored",result="ingest-refused"')) >
      0,
  );
  expect(second.stored.state().judged.state).toBe('not-measured');
  expect(system.subscriptions).toEqual(before);
});
