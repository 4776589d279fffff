import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'puppeteer-core';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { runCli } from '../../deploy/demo/run-cli.ts';
import { until } from '../../deploy/demo/until.ts';
import { layoutOf, providersOrigin } from '../../deploy/local/layout.ts';
import { AcceptedAnswer } from '../../services/ingest/accept/accepted-answer.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { AudienceAnswer } from '../../shared/receipt/progress.ts';
import { CHROMIUM, launchChromium } from '../support/browsers.ts';
import { describeWhere } from '../support/describe-where.ts';
import { writeGoogleCertificate } from '../support/google-certificate.ts';
import {
  exampleAlert,
  readSecret,
  startWholeSystem,
  type WholeSystem,
} from '../support/whole-system.ts';

const GOOGLE_HOSTS = new URL('../support/google-push-hosts.ts', import.meta.url).href;
const AREA = '06088';

// A whole system without canaries, and FCM's device side in the sandbox: the alert goes the way that it would go with
// Google, from the prefecture's request to a notification that a stock Chromium shows.
const profile = mkdtempSync(join(tmpdir(), 'tocsin-chromium-'));
let system: WholeSystem;
let spki: string;
let browser: Browser | undefined;
let page: Page;

interface Decided {
  readonly action: string;
  readonly reason?: string;
}

/** What the worker told the page, and the titles that stand on the screen. */
interface Seen {
  readonly decisions: readonly Decided[];
  readonly shown: readonly string[];
}

/** What the functions that run inside the page use of it; the rest of this program has no browser's types. */
declare const window: { decisions: Decided[] };
declare const navigator: {
  readonly serviceWorker: {
    readonly ready: Promise<{
      readonly getNotifications: () => Promise<{ readonly title: string }[]>;
      readonly pushManager: {
        readonly getSubscription: () => Promise<{ readonly endpoint: string } | null>;
      };
    }>;
    readonly addEventListener: (
      type: 'message',
      listener: (event: { readonly data: { readonly decision: Decided } }) => void,
    ) => void;
  };
};

describeWhere(CHROMIUM.missing, 'a stock Chromium on FCM', () => {
  beforeAll(start, 120_000);
  afterAll(stop, 60_000);

  test('subscribes on our page by clicks alone; its endpoint is Google’s', async () => {
    await page.click(`input[value="${AREA}"]`);
    await page.click('#subscribe');
    await page.waitForSelector('#subscription[data-state="subscribed"]', { timeout: 30_000 });
    const endpoint = await page.evaluate(async () => {
      const worker = await navigator.serviceWorker.ready;
      return (await worker.pushManager.getSubscription())?.endpoint;
    });
    expect(endpoint).toMatch(/^https:\/\/(fcm\.googleapis|jmt17\.google)\.com\/fcm\/send\//);
    await untilAudience(1);
  }, 60_000);

  let alertId: string;
  test('P1 P4: an alert that a prefecture raises is decrypted, verified and shown, once', async () => {
    alertId = await raise();
    const seen = await untilSeen(
      'shown, and told to the page',
      ({ decisions, shown }) => shown.length > 0 && decisions.length > 0,
    );
    expect(seen.shown).toEqual(['ALERTE — Préfecture des Alpes-Maritimes']);
    expect(seen.decisions[0]).toMatchObject({ action: 'shown' });
    expect(seen.decisions.slice(1).every(({ action }) => action === 'ignored')).toBe(true);
  }, 60_000);

  test('a cancel takes it away', async () => {
    await runCli(system, ['cancel', alertId, '--reason', 'Fin']);
    const seen = await untilSeen('taken down', ({ decisions }) =>
      decisions.some(({ action }) => action === 'taken-down'),
    );
    expect(seen.shown).toEqual(['ALERTE ANNULÉE — Préfecture des Alpes-Maritimes']);
  }, 60_000);

  test('an alert that is raised while the browser is off is shown when it is back', async () => {
    await browser?.close();
    await raise();
    await launch();
    await openPage('subscribed');
    const title = 'ALERTE — Préfecture des Alpes-Maritimes';
    await untilSeen('shown', ({ shown }) => shown.includes(title));
  }, 90_000);

  test('unsubscribes by a click: Google is told, and the registry', async () => {
    await page.click('#unsubscribe');
    await page.waitForSelector('#subscription[data-state="unsubscribed"]', { timeout: 20_000 });
    await untilAudience(0);
  }, 60_000);
});

async function start(): Promise<void> {
  system = await startWholeSystem({
    services: ['ingest', 'dispatcher', 'edge'],
    prepare: (stateDir) => {
      spki = writeGoogleCertificate(stateDir);
    },
    extraEnv: { dispatcher: { NODE_OPTIONS: `--import=${GOOGLE_HOSTS}` } },
  });
  await launch();
  await openPage('idle');
}

async function launch(): Promise<void> {
  const layout = layoutOf({ sites: 2, portBase: system.portBase, stateDir: system.stateDir });
  browser = await launchChromium(profile, [
    `--gcm-checkin-url=${providersOrigin(layout)}/checkin`,
    `--gcm-registration-url=${providersOrigin(layout)}/c2dm/register3`,
    `--gcm-mcs-endpoint=https://localhost:${layout.sandbox.mcs}`,
    // The certificate is checked; its key counts as known, as Google's authority is to every browser.
    `--ignore-certificate-errors-spki-list=${spki}`,
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
    '--disable-gpu',
    '--disable-quic',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--lang=fr-FR',
  ]);
  const { origin } = new URL(urlOf(system, 'edge-a'));
  await browser.defaultBrowserContext().overridePermissions(origin, ['notifications']);
  page = await browser.newPage();
}

/** Opens our page anew and listens to what the worker says. */
async function openPage(state: string): Promise<void> {
  await page.goto(`${urlOf(system, 'edge-a')}/?lang=fr`);
  await page.waitForSelector(`#subscription[data-state="${state}"]`, { timeout: 30_000 });
  await page.evaluate(() => {
    window.decisions = [];
    navigator.serviceWorker.addEventListener('message', ({ data }) => {
      window.decisions.push(data.decision);
    });
  });
}

async function stop(): Promise<void> {
  await browser?.close();
  await system?.close();
  system?.destroy();
  rmSync(profile, { recursive: true, force: true });
}

/** POST to one ingest, as an integration of the prefecture would. */
async function raise(): Promise<string> {
  const { id } = await fetchJson(`${urlOf(system, 'ingest-a')}/v1/alerts`, {
    schema: AcceptedAnswer,
    timeoutMs: 10_000,
    token: readSecret(system.stateDir, 'keys/pref06.key'),
    json: exampleAlert('nice-alert'),
  });
  return id;
}

/** Waits until both dispatchers know so many people in the area. */
async function untilAudience(devices: number): Promise<void> {
  await until(`${devices} devices`, { timeoutMs: 20_000, everyMs: 100 }, async () => {
    const known = await Promise.all(system.sites.map(audienceOf));
    return known.every((count) => count === devices) ? true : undefined;
  });
}

async function audienceOf(site: string): Promise<number> {
  const url = `${urlOf(system, `dispatcher-${site}`)}/v1/audience?area=${AREA}`;
  const { counts } = await fetchJson(url, {
    schema: AudienceAnswer,
    timeoutMs: 5_000,
    token: system.internalToken,
  });
  return counts['web-push'] ?? 0;
}

async function untilSeen(what: string, isSo: (seen: Seen) => boolean): Promise<Seen> {
  return await until(what, { timeoutMs: 40_000, everyMs: 100 }, async () => {
    const seen = await seenNow();
    return isSo(seen) ? seen : undefined;
  });
}

function seenNow(): Promise<Seen> {
  return page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    const notifications = await worker.getNotifications();
    return { decisions: [...window.decisions], shown: notifications.map(({ title }) => title) };
  });
}
