import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'puppeteer-core';
import webPush from 'web-push';
import type { Alert } from '../../shared/alert/alert.ts';
import type { SigningKey } from '../../shared/envelope/key-set.ts';
import { encodePushPayload } from '../../shared/envelope/push-payload.ts';
import type { Subscription } from '../../shared/subscription/subscription.ts';
import { FIREFOX, launchFirefox } from '../support/browsers.ts';
import { describeWhere } from '../support/describe-where.ts';
import { eventually, startTestEdge, type TestEdge } from '../support/edge.ts';
import { startNats, type TestNats } from '../support/nats-server.ts';
import { lastChange } from '../support/registry.ts';
import { startTestSandbox, type TestSandbox } from '../support/sandbox-tls.ts';
import {
  createSigningKey,
  publicHalves,
  signedDeviceMessage,
  testAlert,
} from '../support/signed-alerts.ts';

const publicKey = createSigningKey('public');
const canaryKey = createSigningKey('canary');
const profile = mkdtempSync(join(tmpdir(), 'tocsin-firefox-'));

let nats: TestNats;
let sandbox: TestSandbox;
let edge: TestEdge;
let browser: Browser;
let page: Page;
let address: Extract<Subscription['address'], { transport: 'web-push' }>;

interface Decided {
  readonly action: string;
  readonly reason?: string;
}

interface ShownNotification {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
}

/** What the functions that run inside the page use of it; the rest of this program has no browser's types. */
declare const window: { decisions: Decided[] };
declare const navigator: {
  readonly serviceWorker: {
    readonly ready: Promise<{ getNotifications: () => Promise<ShownNotification[]> }>;
    readonly addEventListener: (
      type: 'message',
      listener: (event: { readonly data: { readonly decision: Decided } }) => void,
    ) => void;
  };
};

/** What the worker told the page, and what stands on the screen. */
interface Seen {
  readonly decisions: readonly Decided[];
  readonly shown: readonly ShownNotification[];
}

describeWhere(FIREFOX.missing, 'a stock Firefox', () => {
  beforeAll(start, 90_000);
  afterAll(stop, 30_000);

  test('subscribes on our page by clicks alone, at the place that was ticked', async () => {
    await page.click('input[value="06088"]');
    await page.click('#subscribe');
    await page.waitForSelector('#subscription[data-state="subscribed"]', { timeout: 20_000 });
    expect(await textOf('#state')).toContain('Nice');
    await takeAddress(['06088']);
  }, 40_000);

  test('remembers it after a reload, takes a typed code, and says when one is wrong', async () => {
    await openPage('subscribed');
    await page.type('#code', '99999999');
    await page.click('#add');
    expect(await textOf('#code-error')).toContain('INSEE');
    await page.$eval('#code', (input) => {
      (input as unknown as { value: string }).value = '';
    });
    await page.type('#code', '2a004\n');
    expect(await textOf('#code-error')).toBe('');
    await page.click('#subscribe');
    await takeAddress(['06088', '2A004']);
  }, 40_000);

  test('P4: shows a signed alert, once however often it is sent', async () => {
    const alert = testAlert({ identifier: 'nice-1' });
    const seen = await push(alert, publicKey);
    expect(seen.decisions.at(-1)).toMatchObject({ action: 'shown' });
    expect(seen.shown).toHaveLength(1);
    expect(seen.shown[0]?.title).toBe('ALERTE — Préfecture des Alpes-Maritimes');
    expect(seen.shown[0]?.body).toContain('Abritez-vous');
    const again = await push(alert, publicKey);
    expect(again.decisions.at(-1)).toMatchObject({ action: 'ignored', reason: 'seen' });
    expect(again.shown).toHaveLength(1);
    expect(await textOf('#news')).toContain('promenade des Anglais');
  }, 70_000);

  test('answers a receipt for what it verified', async () => {
    const id = (await seenNow()).shown[0]?.tag;
    const counts = await eventually('the receipts are there', async () => {
      const answer = await fetch(`${edge.url}/v1/alerts/${id}/receipts`, {
        headers: { authorization: `Bearer ${edge.token}` },
      });
      const body = (await answer.json()) as { 'web-push'?: { shown?: number; ignored?: number } };
      return body['web-push']?.ignored === 1 ? body : undefined;
    });
    expect(counts).toEqual({ 'web-push': { shown: 1, ignored: 1 } });
  });

  test('P8: a forged alert, one signed by the canary, and words without a signature show nothing', async () => {
    const forged = await push(
      testAlert({ identifier: 'forged' }),
      createSigningKey('public', publicKey.kid),
    );
    expect(forged.decisions.at(-1)).toEqual({ action: 'refused', reason: 'unsigned' });
    const canary = await push(testAlert({ identifier: 'by-canary' }), canaryKey);
    expect(canary.decisions.at(-1)).toEqual({ action: 'refused', reason: 'unsigned' });
    const plain = await pushText('{"title":"ALERTE","body":"fausse"}');
    expect(plain.decisions.at(-1)).toEqual({ action: 'refused', reason: 'malformed' });
    expect(plain.shown).toHaveLength(1);
  });

  test('P3: an alert whose time is over does not ring', async () => {
    const late = testAlert({
      identifier: 'late',
      sentMs: Date.now() - 7_200_000,
      lifeSeconds: 3600,
    });
    const seen = await push(late, publicKey);
    expect(seen.decisions.at(-1)).toEqual({ action: 'refused', reason: 'expired' });
    expect(seen.shown).toHaveLength(1);
  });

  test('an Update takes the place of its alert, and a Cancel takes it down', async () => {
    const alert = testAlert({ identifier: 'flood-1', headline: 'Crue du Var' });
    expect((await push(alert, publicKey)).shown).toHaveLength(2);
    const update = testAlert({
      identifier: 'flood-2',
      msgType: 'Update',
      references: [alert],
      headline: 'Crue : décrue lente',
    });
    const updated = await push(update, publicKey);
    expect(updated.decisions.at(-1)).toMatchObject({ action: 'replaced' });
    expect(updated.shown.map((each) => each.title)).toContain(
      'MISE À JOUR — Préfecture des Alpes-Maritimes',
    );
    expect(updated.shown).toHaveLength(2);
    const cancel = testAlert({
      identifier: 'flood-3',
      msgType: 'Cancel',
      references: [alert, update],
      headline: 'Fin',
    });
    const cancelled = await push(cancel, publicKey);
    expect(cancelled.decisions.at(-1)).toMatchObject({ action: 'taken-down' });
    expect(
      cancelled.shown.map((each) => each.title).filter((title) => title.startsWith('MISE')),
    ).toEqual([]);
    expect(cancelled.shown.map((each) => each.title)).toContain(
      'ALERTE ANNULÉE — Préfecture des Alpes-Maritimes',
    );
  });

  test('a Cancel that overtakes its alert keeps it from ringing, and shows nothing itself', async () => {
    const before = (await seenNow()).shown.length;
    const alert = testAlert({ identifier: 'overtaken' });
    const cancel = testAlert({ identifier: 'overtaker', msgType: 'Cancel', references: [alert] });
    expect((await push(cancel, publicKey)).shown).toHaveLength(before);
    const late = await push(alert, publicKey);
    expect(late.decisions.at(-1)).toMatchObject({ action: 'ignored', reason: 'cancelled-before' });
    expect(late.shown).toHaveLength(before);
  });

  test('unsubscribes by a click, everywhere, and can come back', async () => {
    await page.click('#unsubscribe');
    await page.waitForSelector('#subscription[data-state="unsubscribed"]', { timeout: 20_000 });
    await eventually('the tombstone is on the bus', async () => {
      const record = await lastChange(nats.url);
      return record?.state === 'removed' && record.reason === 'unsubscribed';
    });
    await page.click('#subscribe');
    await takeAddress(['06088', '2A004']);
  }, 40_000);

  test('verifies and shows with the edge gone: the push carries all that is needed', async () => {
    await edge.close({ keepData: true });
    const seen = await push(
      testAlert({ identifier: 'offline', headline: 'Sans réseau' }),
      publicKey,
    );
    expect(seen.decisions.at(-1)).toMatchObject({ action: 'shown' });
    expect(seen.shown.some((each) => each.body.startsWith('Sans réseau'))).toBe(true);
  });
});

async function start(): Promise<void> {
  [nats, sandbox] = await Promise.all([startNats({ syncAlways: false }), startTestSandbox()]);
  edge = await startTestEdge({
    keySet: publicHalves(publicKey, canaryKey),
    sites: [{ site: 'a', url: nats.url, monitorUrl: nats.monitorUrl }],
    env: { EXTRA_PUSH_ORIGINS: sandbox.origin },
  });
  browser = await launchFirefox(profile, `${sandbox.receiversUrl}/`);
  page = await browser.newPage();
  await openPage('idle');
}

/** Opens our page anew and listens to what the worker says. */
async function openPage(state: string): Promise<void> {
  await page.goto(edge.url);
  await page.waitForSelector(`#subscription[data-state="${state}"]`, { timeout: 20_000 });
  await page.evaluate(() => {
    window.decisions = [];
    navigator.serviceWorker.addEventListener('message', ({ data }) => {
      window.decisions.push(data.decision);
    });
  });
}

async function stop(): Promise<void> {
  await browser?.close();
  await edge?.close();
  await sandbox?.destroy();
  await nats?.close();
  rmSync(profile, { recursive: true, force: true });
}

const textOf = (selector: string) => page.$eval(selector, (element) => element.textContent);

/** Waits until the device stands on the bus with these places, and keeps the address that alerts go to. */
async function takeAddress(areaCodes: readonly string[]): Promise<void> {
  await page.waitForSelector('#subscription[data-state="subscribed"]', { timeout: 20_000 });
  const { subscription } = await eventually('the device is on the bus', async () => {
    const record = await lastChange(nats.url);
    return (
      record?.state === 'active' &&
      record.subscription.areaCodes.join() === areaCodes.join() &&
      record
    );
  });
  if (subscription.address.transport !== 'web-push')
    throw new Error('a browser has a Web Push address');
  address = subscription.address;
}

async function push(alert: Alert, key: SigningKey): Promise<Seen> {
  return await pushText(
    encodePushPayload({ alert: await signedDeviceMessage(alert, key), via: 'a' }),
  );
}

/** Sends one push as a dispatcher would, and waits until the worker has decided. */
async function pushText(payload: string): Promise<Seen> {
  const before = (await seenNow()).decisions.length;
  const vapidDetails = { subject: 'mailto:ops@example.org', ...edge.vapid };
  const { endpoint, headers, body } = webPush.generateRequestDetails(address, payload, {
    vapidDetails,
    TTL: 600,
    urgency: 'high',
  });
  expect(await post(endpoint, headers, body)).toBe(201);
  const decided = async () => {
    const seen = await seenNow();
    return seen.decisions.length > before && seen;
  };
  // A Firefox without a window takes seconds for the first notification of its life, many on a busy machine.
  return await eventually('the worker decides', decided, 30_000);
}

function post(endpoint: string, headers: object, body: Buffer | null): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(
      endpoint,
      { method: 'POST', ca: sandbox.caPem, headers: { ...headers } },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

function seenNow(): Promise<Seen> {
  return page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    const notifications = await worker.getNotifications();
    return {
      decisions: [...window.decisions],
      shown: notifications.map(({ title, body, tag }) => ({ title, body, tag })),
    };
  });
}
