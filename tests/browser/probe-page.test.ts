import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'puppeteer-core';
import { z } from 'zod';
import { readConfig } from '../../services/canary/config.ts';
import { startCanary } from '../../services/canary/start-canary.ts';
import {
  createProviderSender,
  type ProviderSender,
} from '../../services/canary/test-support/provider-sender.ts';
import {
  API_KEY,
  INTERNAL_TOKEN,
  type StandInSystem,
  startStandInSystem,
} from '../../services/canary/test-support/stand-in-system.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { FIREFOX, launchFirefox } from '../support/browsers.ts';
import { describeWhere } from '../support/describe-where.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox-tls.ts';
import { createSigningKey, publicHalves, testAlert } from '../support/signed-alerts.ts';

/** Where to leave pictures of the page; unset: none are made. */
const PICTURES = process.env['PICTURES'];

const canaryKey = createSigningKey('canary');
const publicKey = createSigningKey('public');
const folder = mkdtempSync(join(tmpdir(), 'tocsin-probe-page-'));
const profile = join(folder, 'profile');

let sandbox: TestSandbox;
let sender: ProviderSender;
let system: StandInSystem;
let canary: Awaited<ReturnType<typeof startCanary>>;
let browser: Browser;
let page: Page;
let base: string;

const Devices = z.object({
  limit: z.int(),
  devices: z.array(
    z.object({
      name: z.string(),
      label: z.string(),
      state: z.string(),
      ageSeconds: z.number().nullable(),
    }),
  ),
});
const Code = z.object({ code: z.string(), page: z.string() });
const timeoutMs = 5_000;
const token = INTERNAL_TOKEN;

describeWhere(FIREFOX.missing, 'a stock Firefox as a probe', () => {
  beforeAll(start, 90_000);
  afterAll(stop, 30_000);

  test('a wrong code makes no receiver', async () => {
    await page.goto(`${base}/probe`);
    await page.waitForSelector('html[data-view="enrol"]', { timeout: 20_000 });
    await picture('enrol');
    await enrol('AAAA-AAAA');
    await until('it says why', async () => (await textOf('#problem')).includes('not good'));
    expect((await devices()).devices).toEqual([]);
  }, 60_000);

  test('with the engineer’s code it becomes one, and its signed receipts renew its age', async () => {
    const { code } = await newCode();
    await clear('#code');
    await enrol(code);
    await page.waitForSelector('html[data-view="watch"]', { timeout: 20_000 });
    expect((await devices()).devices).toMatchObject([{ label: 'Kiosque' }]);
    await until('its receipts count', async () => (await devices()).devices[0]?.state === 'proved');
    await until('the page says so', async () => (await textOf('#handed')).includes('compté'));
    expect(await textOf('#what')).toContain('Essai technique reçu à');
    expect(await textOf('#age')).toMatch(/^\d+ s$/);
    await picture('receiving');
    const [device] = (await devices()).devices;
    const metrics = await (await fetch(`${base}/metrics`)).text();
    expect(metrics).toMatch(
      new RegExp(
        `canary_receiver_last_receipt_timestamp_seconds\\{probe="${device?.name}",kind="browser"[^}]*\\} 1\\d{9}`,
      ),
    );
    // A code is good once.
    expect(await tryCode(code)).toBe(403);
  }, 60_000);

  test('P8: a forged alert is refused by the device and reported by nobody; a real one is witnessed', async () => {
    const [device] = (await devices()).devices;
    await system.sendToAll(
      testAlert({ identifier: 'forged' }),
      createSigningKey('public', publicKey.kid),
    );
    await until('it was refused', async () =>
      (await textOf('#bad')).includes('signature inconnue'),
    );
    expect(await textOf('#real')).toBe('');
    await system.sendToAll(testAlert({ identifier: 'real', headline: 'Crue du Var' }), publicKey);
    await until('it is shown', async () => (await textOf('#real')).includes('Crue du Var'));
    await until('it is witnessed', async () =>
      (await (await fetch(`${base}/metrics`)).text()).includes(
        `canary_witnesses_total{probe="${device?.name}"`,
      ),
    );
    await picture('real-alert');
  }, 60_000);

  test('it is the same receiver after a reload, and says when nothing comes any more', async () => {
    const before = (await devices()).devices;
    await page.reload();
    await page.waitForSelector('html[data-view="watch"]', { timeout: 20_000 });
    expect((await devices()).devices.map(({ name }) => name)).toEqual(
      before.map(({ name }) => name),
    );
    system.refuseWith(503);
    await page.waitForSelector('html[data-state="dead"]', { timeout: 30_000 });
    expect(await textOf('#word')).toContain('RIEN REÇU depuis');
    await picture('silent');
    await until('the canary sees it too', async () =>
      (await devices()).devices.every(({ state }) => state === 'unproved'),
    );
    system.refuseWith(undefined);
    await page.waitForSelector('html[data-state="fresh"]', { timeout: 30_000 });
  }, 90_000);

  test('taken off the list, its receipts count no more and it says so', async () => {
    const [device] = (await devices()).devices;
    const removed = await fetch(`${base}/v1/probe-devices/${device?.name}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(removed.status).toBe(204);
    await system.sendToAll(testAlert({ identifier: 'after' }), publicKey);
    await page.waitForSelector('html[data-view="enrol"]', { timeout: 30_000 });
    expect(await textOf('#problem')).toContain('n’est plus sur la liste');
  }, 60_000);

  test('started while the canary is away it is there all the same', async () => {
    await canary.close();
    await page.reload();
    await page.waitForSelector('html[data-view="enrol"]', { timeout: 20_000 });
    expect(await textOf('header')).toContain('SONDE TOCSIN');
  }, 60_000);
});

async function start(): Promise<void> {
  sandbox = await startTestSandbox();
  sender = await createProviderSender(sandbox);
  system = await startStandInSystem(() => sender, canaryKey);
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const nodes = JSON.stringify([{ name: 'a', site: 'a', url: system.url }]);
  const config = readConfig({
    SITE: 'a',
    PORT: '0',
    DATA_DIR: join(folder, 'data'),
    INGESTS: nodes,
    DISPATCHERS: nodes,
    EDGES: nodes,
    INTERNAL_TOKEN_FILE: file('token', INTERNAL_TOKEN),
    CANARY_API_KEY_FILE: file('api-key', API_KEY),
    TRUSTED_KEYS_FILE: file('keys.json', JSON.stringify(publicHalves(canaryKey, publicKey))),
    VAPID_PUBLIC_KEY: sender.vapid.publicKey,
    AUTOPUSH_URL: `${sandbox.receiversUrl}/`,
    FCM_PROBE_URL: `${sandbox.receiversUrl}/fcm`,
    FCM_TOKENS_URL: `${sandbox.controlUrl}/fcm/tokens`,
    PERIOD_SECONDS: '3',
    LIMIT_SECONDS: '2',
    STORED_PROBE_SECONDS: '0',
    NEGATIVE_CANARY_SECONDS: '0',
  });
  canary = await startCanary(config, createLogger('canary', 'a', 'silent'));
  base = `http://127.0.0.1:${canary.port}`;
  mkdirSync(profile);
  browser = await launchFirefox(profile, `${sandbox.receiversUrl}/`);
  page = await browser.newPage();
}

async function stop(): Promise<void> {
  await browser?.close();
  await canary?.close();
  await system?.close();
  sender?.close();
  await sandbox?.destroy();
  rmSync(folder, { recursive: true, force: true });
}

const textOf = (selector: string) => page.$eval(selector, (element) => element.textContent);

const devices = () => fetchJson(`${base}/v1/probe-devices`, { schema: Devices, token, timeoutMs });

const newCode = () =>
  fetchJson(`${base}/v1/probe-codes`, { schema: Code, token, timeoutMs, method: 'POST' });

async function enrol(code: string): Promise<void> {
  await page.type('#code', code);
  await clear('#label');
  await page.type('#label', 'Kiosque');
  await page.click('#start');
}

async function clear(selector: string): Promise<void> {
  await page.$eval(selector, (input) => {
    (input as unknown as { value: string }).value = '';
  });
}

async function tryCode(code: string): Promise<number> {
  const [subscription] = [...system.subscriptions.values()].filter(
    ({ address }) => address.transport === 'web-push',
  );
  const answer = await fetch(`${base}/v1/probe-devices`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      code,
      label: 'again',
      publicKey: 'A'.repeat(43),
      address: subscription?.address,
    }),
  });
  return answer.status;
}

async function until(what: string, condition: () => Promise<boolean>, limitMs = 30_000) {
  for (const deadline = Date.now() + limitMs; !(await condition()); ) {
    if (Date.now() > deadline)
      throw new Error(`did not happen in time: ${what}; page: ${await textOf('body')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function picture(name: string): Promise<void> {
  if (PICTURES === undefined) return;
  for (const [size, width, height] of [
    ['phone', 390, 844],
    ['desktop', 1280, 800],
  ] as const) {
    await page.setViewport({ width, height });
    await page.screenshot({ path: join(PICTURES, `probe-${name}-${size}.png`) as `${string}.png` });
  }
}
