import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'puppeteer-core';
import type { Segment } from '../../services/canary/history/buckets.ts';
import { renderPage } from '../../services/canary/page/page.ts';
import type { PageModel } from '../../services/canary/page/page-model.ts';
import { pathName } from '../../services/canary/paths.ts';
import { statusFiles } from '../../services/canary/status-page/start-status-page.ts';
import { statusReport } from '../../services/canary/status-page/status-report.ts';
import { SAMPLE_PATHS, samplePage } from '../../services/canary/test-support/sample-page.ts';
import { type Listening, listen } from '../../shared/http/listen.ts';
import { CHROMIUM, launchChromium } from '../support/browsers.ts';
import { describeWhere } from '../support/describe-where.ts';

jest.setTimeout(90_000);

const profile = mkdtempSync(join(tmpdir(), 'tocsin-pages-'));
const ID = '0'.repeat(32);
let browser: Browser;
let page: Page;
let server: Listening;
let base: string;
/** What the server answers at this moment; undefined: it takes the request and says nothing. */
let answer: (() => string) | 'nothing new' | undefined;

/** A page with something in every section, as wide as it gets. */
function fullPage(nowMs: number, changes: Partial<PageModel> = {}): PageModel {
  const segments: Segment[] = [{ state: 'not-measured', fromMs: nowMs - 86_400_000, toMs: nowMs }];
  const receivedAt = new Date(nowMs - 59_000).toISOString();
  return samplePage(nowMs, {
    history: new Map(SAMPLE_PATHS.map((path) => [pathName(path), segments])),
    dead: [{ kind: 'dispatcher', name: 'marseille-2', answered: false, sinceMs: nowMs - 72_000 }],
    credentials: Array.from({ length: 9 }, (_, i) => ({
      name: `signing-key-of-a-long-name-${i}`,
      kind: 'signing-key' as const,
      where: 'dispatcher marseille-2',
      expiresAt: new Date(nowMs + (10 + i) * 86_400_000).toISOString(),
    })),
    realAlert: {
      id: ID,
      headlines: { fr: 'Attentat à Nice, sur la Promenade des Anglais' },
      status: 'Actual',
      msgType: 'Alert',
      senderName: 'Préfecture des Alpes-Maritimes',
      sent: '2026-07-14T22:29:07+02:00',
      acceptedAtMs: nowMs - 60_000,
      transports: (['fcm', 'web-push'] as const).map((transport) => ({
        transport,
        audience: 5_000_000,
        accepted: 4_998_000,
        pending: 2_000,
        after: { firstMs: 310, p50Ms: 61_400, p95Ms: 101_900, p99Ms: 202_000, lastMs: 302_040 },
      })),
      witnesses: [
        { alertId: ID, probe: 'marseille-2-fcm', transport: 'fcm', via: 'marseille-2', receivedAt },
      ],
      probes: 1,
    },
    ...changes,
  });
}

describeWhere(CHROMIUM.missing, 'pages in a stock Chromium', () => {
  beforeAll(async () => {
    browser = await launchChromium(profile);
  });
  afterAll(async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  });
  beforeEach(async () => {
    server = await listen(
      (_request, response) => {
        if (answer === 'nothing new') response.writeHead(204).end();
        else if (answer) response.writeHead(200, { 'content-type': 'text/html' }).end(answer());
      },
      { host: '127.0.0.1', port: 0 },
    );
    base = `http://127.0.0.1:${server.port}/`;
    page = await browser.newPage();
  });
  afterEach(async () => {
    await page.close();
    server.server.closeAllConnections();
    await server.close();
  });

  const textOf = (selector: string) =>
    page.$eval(selector, (element) => element.textContent.replaceAll('\u00a0', ' '));
  // Written as text: these tests are no code for browsers, and have none of their types.
  const inPage = (expression: string) => page.evaluate(expression);
  const isShown = async (selector: string) =>
    (await inPage(`getComputedStyle(document.querySelector('${selector}')).visibility`)) ===
    'visible';
  async function until(what: string, condition: () => Promise<boolean>, limitMs = 30_000) {
    for (const deadline = Date.now() + limitMs; !(await condition().catch(() => false)); ) {
      if (Date.now() > deadline) throw new Error(`did not happen in time: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  test.each([320, 360, 768, 1024, 1440])(
    'nothing is wider than a window of %d px',
    async (width) => {
      await page.setViewport({ width, height: 800 });
      for (const language of ['fr', 'en'] as const) {
        answer = () => renderPage(fullPage(Date.now(), { language }));
        await page.goto(base);
        const report = statusReport(fullPage(Date.now()).paths, [], Date.now());
        const wide = () => inPage('document.documentElement.scrollWidth');
        expect(await wide()).toBeLessThanOrEqual(width);
        answer = () => statusFiles(report, true)[`index.${language}.html`];
        await page.goto(base);
        expect(await wide()).toBeLessThanOrEqual(width);
      }
    },
  );

  test('while the canary answers, what is open and focused stays so, and only a change is told', async () => {
    let dead: PageModel['dead'] = [];
    answer = () => renderPage(fullPage(Date.now(), { dead }));
    await page.goto(base);
    await page.$eval('#legend', (details) => details.setAttribute('open', ''));
    await page.focus('#rounds > summary');
    const clock = await textOf('.clock b');
    await until('the page is exchanged', async () => (await textOf('.clock b')) !== clock);
    expect(await page.$eval('#legend', (details) => details.hasAttribute('open'))).toBe(true);
    expect(await inPage('document.activeElement.parentElement.id')).toBe('rounds');
    expect(await textOf('#news')).toBe('');
    dead = [{ kind: 'bus', name: 'b', answered: false, sinceMs: Date.now() - 9_000 }];
    await until('the change is told', async () =>
      (await textOf('#news')).includes('1 chose est connue comme morte'),
    );
  });

  test('P5: when nothing answers any more the open page says so and takes its headline back', async () => {
    answer = () => renderPage(fullPage(Date.now()));
    await page.goto(base);
    expect(await textOf('h1')).toBe('Une alerte arriverait');
    answer = undefined;
    await until(
      'it says so',
      async () => (await inPage("document.querySelector('.stale').hidden")) === false,
    );
    expect(await textOf('.stale')).toMatch(/CETTE PAGE N’EST PLUS À JOUR .* depuis \d+ s/);
    expect(await textOf('h1')).toBe('ON NE SAIT PLUS si une alerte arriverait');
    expect(await page.title()).toContain('CETTE PAGE N’EST PLUS À JOUR');
    for (const claim of await page.$$('.claim'))
      expect(await claim.evaluate((element) => element.checkVisibility())).toBe(false);
    answer = () => renderPage(fullPage(Date.now()));
    await until('it is good again', async () => (await textOf('h1')) === 'Une alerte arriverait');
  });

  test('P5: a copy of yesterday is old the moment that it is opened', async () => {
    const yesterday = renderPage(fullPage(Date.now() - 86_400_000));
    await page.setContent(yesterday);
    expect(await textOf('.stale')).toContain('24 h 00');
    expect(await textOf('h1')).toBe('ON NE SAIT PLUS si une alerte arriverait');
    expect(await page.$$('.cell.proved')).toHaveLength(0);
  });

  test('P5: without script, a page whose reload brings nothing says so after a quarter of a minute', async () => {
    await page.setJavaScriptEnabled(false);
    answer = () => renderPage(fullPage(Date.now()));
    await page.goto(base);
    expect(await isShown('.timed')).toBe(false);
    answer = 'nothing new';
    await until('it says so', () => isShown('.timed'));
    expect(await textOf('.timed')).toMatch(/CETTE PAGE N’EST PLUS À JOUR.*\d\d:\d\d:\d\d UTC/);
  });

  test('P5: the public’s page takes back what it says after five minutes', async () => {
    const report = (ageMs: number) => statusReport(samplePage(0).paths, [], Date.now() - ageMs);
    answer = () => statusFiles(report(200_000), false)['index.fr.html'];
    await page.goto(base);
    expect(await page.$eval('h1', (element) => element.checkVisibility())).toBe(true);
    answer = () => statusFiles(report(301_000), false)['index.fr.html'];
    await page.goto(base);
    expect(await textOf('#stale')).toContain('PERSONNE NE SAIT si les alertes arrivent');
    for (const claim of ['h1', '.meaning', '.devices .word'])
      expect(await page.$eval(claim, (element) => element.checkVisibility())).toBe(false);
  });
});
