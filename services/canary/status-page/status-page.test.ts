import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '../../../shared/log/logger.ts';
import type { DeviceDay } from '../history/device-days.ts';
import { type JudgedPath, judgePath, newPathRecord, recordRound } from '../judge.ts';
import { allPaths } from '../paths.ts';
import { startStatusPage, statusFiles } from './start-status-page.ts';
import { StatusReport, statesOf, statusReport } from './status-report.ts';
import { STATUS_SCRIPT } from './status-script.ts';
import { STATUS_STYLE } from './status-style.ts';

const NOW = Date.UTC(2026, 6, 14, 20, 31, 7);
const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };
interface Ages {
  readonly fcm?: number;
  readonly 'web-push'?: number;
}
/** Paths whose last proof is so many seconds old, by transport; left out: never proved. */
function paths(ages: Ages, nowMs = NOW): JudgedPath[] {
  return allPaths(['nord'], ['sud']).map((path) => {
    const fresh = newPathRecord(path, nowMs - 600_000);
    const age = ages[path.transport];
    const record =
      age === undefined
        ? fresh
        : recordRound(fresh, { kind: 'proved', latencyMs: 300 }, nowMs - age * 1000);
    return judgePath(record, nowMs, TIMETABLE);
  });
}
const DAYS: DeviceDay[] = [
  { day: '2026-07-13', transport: 'fcm', proved: 1428, unproved: 12, lastMinute: 0 },
  { day: '2026-07-13', transport: 'web-push', proved: 1440, unproved: 0, lastMinute: 0 },
  { day: '2026-07-14', transport: 'fcm', proved: 1231, unproved: 0, lastMinute: 0 },
  { day: '2026-07-14', transport: 'web-push', proved: 1231, unproved: 0, lastMinute: 0 },
];
const both = { fcm: 4, 'web-push': 12 };
const files = (ages: Ages = both) => statusFiles(statusReport(paths(ages), DAYS, NOW), false);
const textOf = (page: string) =>
  page
    .replaceAll(/<(style|script|title)>[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/[\s\u00a0\u202f]+/g, ' ');

test.each<[Ages, StatusReport['state'], string]>([
  [both, 'proved', 'Les alertes arrivent'],
  [{ fcm: 300, 'web-push': 12 }, 'partly', 'Les alertes n’arrivent pas sur tous les appareils'],
  [{ fcm: 300, 'web-push': 300 }, 'unproved', 'Rien ne prouve que les alertes arrivent'],
  [{ fcm: 300 }, 'unproved', 'Rien ne prouve que les alertes arrivent'],
  [{}, 'not-measured', 'On ne sait pas encore si les alertes arrivent'],
  // A path that is late has not proved anything.
  [{ fcm: 100, 'web-push': 100 }, 'unproved', 'Rien ne prouve que les alertes arrivent'],
])('P5: proofs of %j s are "%s" to the public', (ages, state, headline) => {
  const report = statusReport(paths(ages), DAYS, NOW);
  expect(report.state).toBe(state);
  expect(textOf(files(ages)['index.fr.html'])).toContain(headline);
});

test('it says by kind of device how long ago the last proof was, and which days lack minutes', () => {
  const text = textOf(files()['index.fr.html']);
  expect(text).toContain(
    'Téléphones Android avec l’application les essais arrivent Dernier essai reçu il y a 4 s',
  );
  expect(text).toContain(
    'Navigateurs web et téléphones sans services Google les essais arrivent Dernier essai reçu il y a 12 s',
  );
  expect(text).toContain('13 juillet 12 min 0 min');
  expect(text).toContain('12 juillet 0 min 24 h');
  expect(files()['index.fr.html'].replaceAll('\u00a0', ' ')).toContain(
    'Téléphones Android, 30 jours : 1 sans minute perdue, 1 avec des minutes sans preuve, 28 non mesurés',
  );
});

test('a day on which nearly nobody measured but tests failed is drawn and told as one with minutes lost', () => {
  const days: DeviceDay[] = [
    { day: '2026-07-13', transport: 'fcm', proved: 10, unproved: 5, lastMinute: 0 },
  ];
  const page = statusFiles(statusReport(paths(both), days, NOW), false)['index.fr.html'];
  expect(page.replaceAll('\u00a0', ' ')).toContain(
    'Téléphones Android, 30 jours : 0 sans minute perdue, 1 avec des minutes sans preuve, 29 non mesurés',
  );
  const [android = ''] =
    /<svg class="bars" role="img" aria-label="Téléphones[\s\S]*?<\/svg>/.exec(page) ?? [];
  expect(android.match(/<rect class="bad"/g)).toHaveLength(1);
  expect(android.match(/<rect class="unknown"/g)).toHaveLength(29);
});

test('in French the first of a month is 1er', () => {
  const first = Date.UTC(2026, 6, 1, 20, 31, 7);
  const days: DeviceDay[] = [
    { day: '2026-07-01', transport: 'fcm', proved: 9, unproved: 3, lastMinute: 0 },
  ];
  const report = statusReport(paths(both, first), days, first);
  const { 'index.fr.html': french, 'index.en.html': english } = statusFiles(report, false);
  expect(textOf(french)).toContain('Page écrite le 1er juillet 2026 à 22:31');
  expect(textOf(french)).toMatch(/1er juillet 3 min .* 21 juin 0 min 24 h/);
  expect(textOf(english)).toContain('1 July 3 min');
});

test('nothing of ours is named: no sites, nodes, lanes, providers', () => {
  for (const text of Object.values(files({ fcm: 300, 'web-push': 12 })))
    expect(text).not.toMatch(
      /nord|sud|\bingest|dispatcher|répartiteur|FCM|web-push|\bbus\b|canary|veilleur/i,
    );
});

test('P5: each file says when it was written, and that it is worth nothing five minutes later', () => {
  const { 'index.fr.html': page, 'index.en.html': english, 'status.json': json } = files();
  expect(textOf(page)).toContain(
    'Page écrite le 14 juillet 2026 à 22:31 (heure de Paris ; 20:31 UTC). Si c’était il y a plus de cinq minutes, personne ne sait si les alertes arrivent.',
  );
  expect(textOf(english)).toContain('If that is more than five minutes ago, nobody knows');
  expect(page).toContain('data-written="1784061067000" data-stale-ms="300000"');
  expect(page).toContain('<noscript><meta http-equiv="refresh" content="60"></noscript>');
  const report = StatusReport.parse(JSON.parse(json));
  expect(report).toMatchObject({ writtenAt: '2026-07-14T20:31:07.000Z', staleAfterSeconds: 300 });
  expect(report.devices[0]?.days).toHaveLength(30);
  expect(() => new Function(STATUS_SCRIPT)).not.toThrow();
});

test('no tick, no green, nothing from elsewhere; only the style and script in the file may run', () => {
  const page = files()['index.en.html'];
  expect(page).not.toMatch(/[✓✔☑✅🟢]/u);
  expect(STATUS_STYLE).not.toMatch(/green|lime/);
  expect(page).not.toMatch(/ src=|<link|@import|url\(|https?:\/\//);
  expect(page).toMatch(/default-src &#39;none&#39;; style-src &#39;sha256-/);
});

test('simulated devices are not passed off as others', () => {
  const report = statusReport(paths(both), DAYS, NOW);
  expect(statusFiles(report, true)['index.fr.html']).toContain('Démonstration');
  expect(statusFiles(report, false)['index.fr.html']).not.toContain('Démonstration');
});

let folder: string;
const stop = { now: new AbortController() };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-status-'));
  stop.now = new AbortController();
});
afterEach(() => {
  stop.now.abort();
  rmSync(folder, { recursive: true, force: true });
});
async function until(what: string, condition: () => boolean) {
  for (const deadline = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('the files are renamed into place, written again each half minute and at once on a change', async () => {
  const state: { ages: Ages; nowMs: number } = { ages: both, nowMs: NOW };
  const target = join(folder, 'status');
  const running = startStatusPage(
    { folder: target, isDemonstration: false },
    {
      judged: () => paths(state.ages, state.nowMs),
      days: () => DAYS,
      wallNow: () => state.nowMs,
      log: createLogger('canary', 'a', 'silent'),
      signal: stop.now.signal,
    },
  );
  const read = () =>
    StatusReport.parse(JSON.parse(readFileSync(join(target, 'status.json'), 'utf8')));
  expect(read().writtenAt).toBe('2026-07-14T20:31:07.000Z');
  expect(readdirSync(target).sort()).toEqual(['index.en.html', 'index.fr.html', 'status.json']);
  state.ages = { ...both, fcm: 300 };
  await until('the change is written', () => statesOf(read()) === 'partly unproved proved');
  state.nowMs += 30_000;
  await until('half a minute later it is written again', () =>
    read().writtenAt.endsWith(':37.000Z'),
  );
  stop.now.abort();
  await running;
  expect(read().state).toBe('partly');
});

test('a folder that cannot be written stops nothing', async () => {
  writeFileSync(join(folder, 'file'), '');
  const running = startStatusPage(
    { folder: join(folder, 'file', 'status'), isDemonstration: false },
    {
      judged: () => paths(both),
      days: () => [],
      wallNow: () => NOW,
      log: createLogger('canary', 'a', 'silent'),
      signal: stop.now.signal,
    },
  );
  stop.now.abort();
  await expect(running).resolves.toBeUndefined();
});
