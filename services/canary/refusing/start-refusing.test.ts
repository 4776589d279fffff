import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createVerifier, type Verify } from '../../../shared/envelope/signature.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import { aCanaryAlert } from '../../../tests/support/alert-builder.ts';
import { startTestSandbox, type TestSandbox } from '../../../tests/support/sandbox-tls.ts';
import {
  createSigningKey,
  publicHalves,
  signedDeviceMessage,
} from '../../../tests/support/signed-alerts.ts';
import { createRefusingMetrics } from './refusing-metrics.ts';
import { startRefusing } from './start-refusing.ts';

jest.setTimeout(60_000);

const canaryKey = createSigningKey('canary');
const verifier = createVerifier(publicHalves(canaryKey, createSigningKey('public')), 'alert');
const ROOTS = getCACertificates('default');
let folder: string;
let sandbox: TestSandbox;
let close: () => Promise<void> = async () => undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-refusing-'));
  sandbox = await startTestSandbox();
  // The push service's certificate is checked as always.
  setDefaultCACertificates([...ROOTS, sandbox.caPem]);
});

afterEach(async () => {
  await close();
  close = async () => undefined;
  await sandbox.destroy();
  setDefaultCACertificates(ROOTS);
  rmSync(folder, { recursive: true, force: true });
});

async function start(verify: Verify = verifier) {
  const stop = new AbortController();
  const registry = createMetricsRegistry('canary', 'a');
  const refusing = startRefusing(
    {
      canary: 'a',
      autopushUrl: `${sandbox.receiversUrl}/`,
      dataDir: folder,
      sender: 'canary-a@alerte.example',
      periodMs: 2_000,
      limitMs: 1_000,
    },
    {
      verify,
      log: createLogger('canary', 'a', 'silent'),
      metrics: createRefusingMetrics(registry, 2),
      wallNow: Date.now,
      now: Date.now,
      random: Math.random,
      signal: stop.signal,
    },
  );
  close = async () => {
    stop.abort();
    await refusing.running;
  };
  const round = async (identifier: string, lifeSeconds: number) => {
    const alert = aCanaryAlert({ identifier, probes: ['p'], lifeSeconds });
    const expires = Date.parse(alert.info[0]?.expires ?? '');
    refusing.keep(await signedDeviceMessage(alert, canaryKey), expires);
  };
  await round('soon-over', 2);
  await round('fresh', 90);
  const trials = async (kind: string, result: string) => {
    const start = `canary_negative_total{kind="${kind}",result="${result}"`;
    const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(start));
    return Number(line?.split(' ').at(-1));
  };
  return { refusing, trials, registry };
}

async function until(what: string, condition: () => Promise<boolean> | boolean, limitMs = 20_000) {
  for (const deadline = Date.now() + limitMs; !(await condition()); ) {
    if (Date.now() > deadline) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const KINDS = ['forged', 'expired', 'replayed', 'wrong-audience'];

test('P3 P4 P6 P8: forged, expired, replayed and meant for others: each goes through the push service and is refused', async () => {
  const { refusing, trials, registry } = await start();
  expect(refusing.state().kinds.map(({ state }) => state)).toEqual(KINDS.map(() => 'not-measured'));
  await until('all four are refused, twice', async () => {
    const counts = await Promise.all(KINDS.map((kind) => trials(kind, 'refused')));
    return counts.every((count) => count >= 2);
  });
  for (const kind of KINDS) {
    expect([kind, await trials(kind, 'accepted')]).toEqual([kind, 0]);
    expect([kind, await trials(kind, 'unclear')]).toEqual([kind, 0]);
  }
  expect(refusing.state().kinds).toEqual(
    KINDS.map((kind) => expect.objectContaining({ kind, state: 'proved', accepted: 0 })),
  );
  const text = await registry.metrics();
  expect(text).toMatch(/last_refused_timestamp_seconds\{kind="forged",[^}]*\} [1-9]/);
  expect(text).toMatch(/canary_negative_period_seconds\{[^}]*\} 2/);
});

test('P8: a device that does not look at signatures is found out', async () => {
  const blind: Verify = async (jws) => ({
    payload: Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString(),
    audience: 'canary',
    kid: canaryKey.kid,
  });
  const { refusing, trials } = await start(blind);
  await until('it has accepted a forgery', async () => (await trials('forged', 'accepted')) > 0);
  expect(refusing.state().kinds[0]).toMatchObject({ kind: 'forged', state: 'unproved' });
  expect(await trials('forged', 'refused')).toBe(0);
  await until('it refuses the others', async () => (await trials('wrong-audience', 'refused')) > 0);
});

test('P5: what the push service swallows was refused by nobody', async () => {
  await fetch(`${sandbox.controlUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ webPush: { blackHole: true } }),
  });
  const { refusing, trials } = await start();
  await until('trials without an end', async () => (await trials('forged', 'unclear')) > 0);
  expect(await trials('forged', 'refused')).toBe(0);
  expect(refusing.state().kinds[0]?.state).toBe('not-measured');
});

test('its endpoint belongs to its own key alone, and the next life has the same one', async () => {
  const first = await start();
  await until('a refusal', async () => (await first.trials('forged', 'refused')) > 0);
  await close();
  const read = () => JSON.parse(readFileSync(join(folder, 'refusing-receiver.json'), 'utf8'));
  const before = read();
  const answer = await fetch(before.identity.endpoint, {
    method: 'POST',
    headers: { ttl: '60', 'content-encoding': 'aes128gcm' },
    body: new Uint8Array(120),
  });
  await answer.body?.cancel();
  expect(answer.status).toBe(401);
  const second = await start();
  await until('a refusal again', async () => (await second.trials('forged', 'refused')) > 0);
  expect(read()).toEqual(before);
});
