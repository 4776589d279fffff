import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { alertId } from '../../shared/alert/alert-id.ts';
import { listen } from '../../shared/http/listen.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { WitnessAnswer } from '../../shared/receipt/proof.ts';
import { startTestSandbox, type TestSandbox } from '../../tests/support/sandbox-tls.ts';
import { createSigningKey, publicHalves, testAlert } from '../../tests/support/signed-alerts.ts';
import { readConfig } from './config.ts';
import { PathsReport } from './paths-report.ts';
import { startCanary } from './start-canary.ts';
import { createProviderSender, type ProviderSender } from './test-support/provider-sender.ts';
import {
  API_KEY,
  INTERNAL_TOKEN,
  type StandInSystem,
  startStandInSystem,
} from './test-support/stand-in-system.ts';

jest.setTimeout(60_000);

const canaryKey = createSigningKey('canary');
const publicKey = createSigningKey('public');
let folder: string;
let sandbox: TestSandbox;
let sender: ProviderSender;
let system: StandInSystem;
const canaries: { port: number; close: () => Promise<void> }[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-canary-'));
  writeFileSync(join(folder, 'token'), INTERNAL_TOKEN);
  writeFileSync(join(folder, 'api-key'), API_KEY);
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(publicHalves(canaryKey, publicKey)));
  sandbox = await startTestSandbox();
  sender = await createProviderSender(sandbox);
  system = await startStandInSystem(() => sender, canaryKey);
});

afterEach(async () => {
  for (const canary of canaries.splice(0)) await canary.close();
  await system.close();
  sender.close();
  await sandbox.destroy();
  rmSync(folder, { recursive: true, force: true });
});

async function start(changes: Record<string, string> = {}) {
  const nodes = JSON.stringify([{ name: 'a', site: 'a', url: system.url }]);
  const config = readConfig({
    SITE: 'a',
    PORT: '0',
    DATA_DIR: join(folder, 'data'),
    INGESTS: nodes,
    DISPATCHERS: nodes,
    EDGES: nodes,
    // The first edge is dead: the next one has to do.
    EDGE_URL: 'http://127.0.0.1:1',
    INTERNAL_TOKEN_FILE: join(folder, 'token'),
    CANARY_API_KEY_FILE: join(folder, 'api-key'),
    TRUSTED_KEYS_FILE: join(folder, 'keys.json'),
    VAPID_PUBLIC_KEY: sender.vapid.publicKey,
    AUTOPUSH_URL: `${sandbox.receiversUrl}/`,
    FCM_PROBE_URL: `${sandbox.receiversUrl}/fcm`,
    FCM_TOKENS_URL: `${sandbox.controlUrl}/fcm/tokens`,
    PERIOD_SECONDS: '2',
    LIMIT_SECONDS: '1',
    STORED_PROBE_SECONDS: '0',
    NEGATIVE_CANARY_SECONDS: '0',
    ...changes,
  });
  const canary = await startCanary(config, createLogger('canary', 'a', 'silent'));
  canaries.push(canary);
  const base = `http://127.0.0.1:${canary.port}`;
  const paths = async () => PathsReport.parse(await (await fetch(`${base}/v1/paths`)).json());
  const text = async (path: string) => (await fetch(base + path)).text();
  return { canary, base, paths, text };
}

async function until(what: string, condition: () => Promise<boolean> | boolean, limitMs = 20_000) {
  for (const deadline = Date.now() + limitMs; !(await condition()); ) {
    if (Date.now() > deadline) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

type Started = Awaited<ReturnType<typeof start>>;
const allProved = async ({ paths }: Started) => {
  const { summary } = await paths();
  return summary.provedPaths === summary.totalPaths;
};
const faults = (changes: object) =>
  fetch(`${sandbox.controlUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(changes),
  });

test('a fresh system is proved on every path within seconds, by receivers, and everybody is told', async () => {
  const canary = await start();
  await until('all paths are proved', () => allProved(canary), 10_000);
  const { paths } = await canary.paths();
  expect(paths.map(({ name }) => name)).toEqual([
    'a:bus:a:fcm',
    'a:bus:a:web-push',
    'a:direct:a:fcm',
    'a:direct:a:web-push',
  ]);
  expect((await fetch(`${canary.base}/ready`)).status).toBe(200);
  await until('the proofs are told', () => system.reports.at(-1)?.proofs.length === 4);
  expect(system.reports.at(-1)?.proofs.every(({ ageMs }) => ageMs < 10_000)).toBe(true);
  expect(await canary.text('/?lang=fr')).toContain('Une alerte arriverait');
  const english = await fetch(canary.base, { headers: { 'accept-language': 'en-GB,fr;q=0.5' } });
  expect(await english.text()).toContain('An alert would arrive');
  expect(await canary.text('/metrics')).toMatch(
    /canary_rounds_total\{path="a:bus:a:fcm",result="proved",[^}]*\} [1-9]/,
  );
  const identifiers = system.alerts.map(({ identifier }) => identifier);
  expect(new Set(identifiers).size).toBe(identifiers.length);
});

test('the stored path is on the page and in the metrics, and its probe is no witness that is waited for', async () => {
  const canary = await start({ STORED_PROBE_SECONDS: '2' });
  await until('all paths are proved', () => allProved(canary));
  await until('the stored path is proved', async () =>
    /canary_stored_last_receipt_timestamp_seconds\{probe="a-stored",[^}]*\} [1-9]/.test(
      await canary.text('/metrics'),
    ),
  );
  expect(await canary.text('/?lang=fr')).toContain('Téléphone éteint');
  expect(system.subscriptions.size).toBe(3);
  const witnesses = await fetch(`${canary.base}/v1/alerts/${'0'.repeat(32)}/witnesses`, {
    headers: { authorization: `Bearer ${INTERNAL_TOKEN}` },
  });
  expect(await witnesses.json()).toMatchObject({ probes: 2 });
});

test('P5: a provider that accepts and delivers nothing turns its paths unproved although ingest answers 202', async () => {
  const canary = await start();
  await until('all paths are proved', () => allProved(canary));
  await faults({ fcm: { blackHole: true } });
  const acceptedBefore = system.accepted();
  const statesOf = async (transport: string) =>
    (await canary.paths()).paths
      .filter(({ path }) => path.transport === transport)
      .map(({ state }) => state);
  await until('FCM is unproved', async () =>
    (await statesOf('fcm')).every((state) => state === 'unproved'),
  );
  expect(system.accepted()).toBeGreaterThan(acceptedBefore);
  expect(await statesOf('web-push')).not.toContain('unproved');
  expect(await canary.text('/?lang=fr')).toContain('Tous les chemins par FCM échouent depuis');
  await faults({});
  await until('all paths are proved again', () => allProved(canary), 40_000);
});

test('a refusal by ingest is a missed round with its own name; P5: the outside watcher hears nothing of it', async () => {
  let pings = 0;
  const watcher = await listen(
    (_request, response) => {
      pings++;
      response.end();
    },
    { host: '127.0.0.1', port: 0 },
  );
  system.refuseWith(503);
  const canary = await start({ DEADMAN_URL: `http://127.0.0.1:${watcher.port}/` });
  await until('rounds are refused', async () =>
    (await canary.paths()).paths.every(({ lastResult }) => lastResult === 'ingest-refused'),
  );
  const { paths, summary } = await canary.paths();
  expect(paths.every(({ state }) => state === 'not-measured')).toBe(true);
  expect(summary.newestProofAgeSeconds).toBeNull();
  expect(await canary.text('/?lang=fr')).toContain('AUCUNE PREUVE');
  expect(pings).toBe(0);
  system.refuseWith(undefined);
  await until('it hears of a proof', () => pings === 1);
  await watcher.close();
});

test('a restart keeps devices, keys and addresses', async () => {
  const first = await start();
  await until('all paths are proved', () => allProved(first));
  const before = new Map(system.subscriptions);
  await first.canary.close();
  canaries.splice(0);
  system.subscriptions.clear();
  const second = await start();
  await until('the probes are registered', () => system.subscriptions.size === 2);
  expect(system.subscriptions).toEqual(before);
  await until('all paths are proved again', () => allProved(second));
});

test('a provider that has lost its users gets the probes back, with new addresses', async () => {
  const canary = await start();
  await until('all paths are proved', () => allProved(canary));
  const before = new Map(system.subscriptions);
  await sandbox.close();
  rmSync(sandbox.config.dataDir, { recursive: true });
  mkdirSync(sandbox.config.dataDir);
  sandbox = await startTestSandbox(sandbox);
  sender.close();
  sender = await createProviderSender(sandbox, sender.vapid);
  const addresses = (map: typeof before) => [...map.values()].map(({ address }) => address);
  await until('both probes have new addresses', () => {
    const old = JSON.stringify(addresses(before));
    return addresses(system.subscriptions).every((each) => !old.includes(JSON.stringify(each)));
  });
  expect([...system.subscriptions.keys()].sort()).toEqual([...before.keys()].sort());
  await until('all paths are proved again', () => allProved(canary));
});

test('P8: a real alert is witnessed once by each probe; a forged one is refused and witnessed by none', async () => {
  const canary = await start();
  await until('all paths are proved', () => allProved(canary));
  const real = testAlert({ identifier: 'real', headline: 'Attaque à Nice' });
  await system.sendToAll(real, publicKey);
  await system.sendToAll(real, publicKey);
  const forged = testAlert({ identifier: 'forged' });
  await system.sendToAll(forged, createSigningKey('public'));
  const witnesses = async (id: string, token = INTERNAL_TOKEN) => {
    const response = await fetch(`${canary.base}/v1/alerts/${id}/witnesses`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return response.ok ? WitnessAnswer.parse(await response.json()) : response.status;
  };
  const realId = await alertId(real);
  await until('the forged one was refused by both', async () =>
    /canary_refused_total\{reason="unsigned",[^}]*\} 2/.test(await canary.text('/metrics')),
  );
  const seen = await witnesses(realId);
  expect(seen).toMatchObject({ canary: 'a', probes: 2 });
  expect(typeof seen === 'object' && seen.witnesses.map(({ probe }) => probe).sort()).toEqual([
    'a-fcm',
    'a-web-push',
  ]);
  expect(await witnesses(await alertId(forged))).toMatchObject({ probes: 2, witnesses: [] });
  expect(await witnesses(realId, 'wrong')).toBe(401);
  expect(await witnesses('no-id')).toBe(400);
  const page = await canary.text('/?lang=fr');
  expect(page).toContain('Attaque à Nice');
  expect(page.replaceAll('\u00a0', ' ')).toContain('reçue par 2 sondes sur 2');
});
