import { expect, test } from '@jest/globals';
import type { CredentialState } from '../../../shared/receipt/credential.ts';
import type { DrillRecord } from '../../../shared/receipt/drill.ts';
import { BUCKET_MS, type Segment } from '../history/buckets.ts';
import { pathName } from '../paths.ts';
import type { AlertTimeline } from '../real-alert/alert-timeline.ts';
import { SAMPLE_PATHS, samplePage } from '../test-support/sample-page.ts';
import { credentialState, groupCredentials } from './credential-section.ts';
import { drillState } from './drill-section.ts';
import { renderPage } from './page.ts';
import type { PageModel } from './page-model.ts';
import { SCRIPT } from './script.ts';
import { strip, stripWords } from './strip.ts';
import { STYLE } from './style.ts';
import { textsFor } from './texts.ts';

const NOW = Date.UTC(2026, 6, 14, 20, 31, 7);
const DAY_MS = 86_400_000;
const FR = textsFor('fr');

const model = (changes: Partial<PageModel> = {}) => samplePage(NOW, changes);
const textOf = (page: string) =>
  page
    .replaceAll(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/[\s\u00a0\u202f]+/g, ' ');
/** No line breaks inside of a number and its word; tests are about the words. */
const plain = (markup: string) => markup.replaceAll('\u00a0', ' ');
const pageText = (changes: Partial<PageModel>) => textOf(renderPage(model(changes)));

test('no tick and no green anywhere: what is well is an age', () => {
  const page = renderPage(model());
  expect(page).not.toMatch(/[✓✔☑✅🟢]/u);
  expect(STYLE).not.toMatch(/\bgreen\b|lime|#0[a-f0-9]0\b/);
  const colours = [...STYLE.matchAll(/#([0-9a-f]{6})\b/g)].map(([, hex = '']) =>
    [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)),
  );
  expect(colours.length).toBeGreaterThan(10);
  for (const [red = 0, green = 0, blue = 0] of colours)
    expect(green > red + 24 && green > blue + 24).toBe(false);
});

test('without colours: every state of a strip has a height of its own, and words for who cannot see it', () => {
  const at = (i: number) => NOW - 24 * 3_600_000 + i * BUCKET_MS;
  const segments: Segment[] = [
    { state: 'proved', fromMs: at(0), toMs: at(100) },
    { state: 'not-measured', fromMs: at(100), toMs: at(112) },
    { state: 'partly', fromMs: at(112), toMs: at(113) },
    { state: 'unproved', fromMs: at(113), toMs: at(116) },
    { state: 'proved', fromMs: at(116), toMs: at(288) },
  ];
  const markup = plain(strip(segments, FR).markup);
  const heights = [...markup.matchAll(/<rect class="([\w-]+)" [^>]*height="(\d+)"/g)];
  expect(new Map(heights.map(([, state, height]) => [state, height])).size).toBe(4);
  expect(new Set(heights.map(([, , height]) => height)).size).toBe(4);
  expect(stripWords(segments, FR)).toBe(
    'Dernières 24 h : au pire sans preuve pendant 15 min, de 05:56 à 06:11 UTC (sans preuve 15 min, non mesuré (veilleur absent) 60 min, des rondes manquent 5 min, prouvé 22 h 40)',
  );
  expect(markup).toContain('role="img" aria-label="Dernières 24 h');
});

test('five minutes without proof are wide enough to be seen', () => {
  const fromMs = NOW - 24 * 3_600_000;
  const { markup } = strip(
    [
      { state: 'proved', fromMs, toMs: NOW - BUCKET_MS },
      { state: 'unproved', fromMs: NOW - BUCKET_MS, toMs: NOW },
    ],
    FR,
  );
  expect(markup).toMatch(/class="unproved" x="284.0" y="0" width="4.0"/);
});

test('each path has its strip in its cell', () => {
  const segments: Segment[] = [{ state: 'not-measured', fromMs: NOW - DAY_MS, toMs: NOW }];
  const history = new Map(SAMPLE_PATHS.map((path) => [pathName(path), segments]));
  const page = plain(renderPage(model({ history })));
  expect(page.match(/aria-label="Dernières 24 h : non mesuré/g)).toHaveLength(16);
});

const ALERT: AlertTimeline = {
  id: '0'.repeat(32),
  headlines: { fr: 'Attentat à Nice', en: 'Attack in Nice' },
  status: 'Actual',
  msgType: 'Alert',
  senderName: 'Préfecture',
  sent: '2026-07-14T22:29:07+02:00',
  acceptedAtMs: NOW - 120_000,
  transports: [
    {
      transport: 'fcm',
      audience: 1600,
      accepted: 1598,
      pending: 2,
      after: { firstMs: 310, p50Ms: 1_400, p95Ms: 1_900, p99Ms: 2_000, lastMs: 2_040 },
    },
  ],
  witnesses: [
    {
      alertId: '0'.repeat(32),
      probe: 'a-fcm',
      transport: 'fcm',
      via: 'b',
      receivedAt: new Date(NOW - 119_400).toISOString(),
    },
  ],
  probes: 1,
};

test('the last alert: accepted, handed over by each transport, received by n of m probes after t', () => {
  const text = pageText({ realAlert: ALERT });
  expect(text).toContain('Attentat à Nice');
  expect(text).toContain('Acceptée à 20:29:07 UTC, 14 juil. 2026 · il y a 120 s');
  expect(text).toContain('reçue par 1 sonde sur 1 après 0,6 s');
  expect(text).toMatch(
    /FCM première 0,3 s moitié 1,4 s 95 % 1,9 s 99 % 2,0 s dernière 2,0 s 1 598 \/ 1 600, 2 en attente/,
  );
  expect(pageText({ realAlert: ALERT, language: 'en' })).toContain('Attack in Nice');
  const { acceptedAtMs: _unknown, ...acceptedSomeTime } = ALERT;
  expect(pageText({ realAlert: acceptedSomeTime })).toContain(
    'Acceptée à une heure inconnue : aucun répartiteur ne la donne',
  );
});

test('P5: an alert that a probe lacks after a minute is among what is dead, one of a moment ago is not', () => {
  const lacking = { ...ALERT, probes: 2 };
  const page = renderPage(model({ realAlert: lacking }));
  expect(textOf(page)).toContain(
    'La dernière alerte réelle n’a été reçue que par 1 sonde sur 2, depuis 120 s',
  );
  expect(page).toContain('/runbooks/alert-not-witnessed?lang=fr');
  const fresh = { ...lacking, acceptedAtMs: NOW - 5_000 };
  expect(pageText({ realAlert: fresh })).toContain('Rien n’est connu comme mort');
});

const credential = (changes: Partial<CredentialState>): CredentialState => ({
  name: 'tls-fcm',
  kind: 'certificate',
  where: 'dispatcher a',
  ...changes,
});
const inDays = (days: number) => new Date(NOW + days * DAY_MS + 3_600_000).toISOString();

test.each<[string, Partial<CredentialState>, 'unproved' | 'late' | undefined]>([
  ['has no end', {}, undefined],
  ['ends in 21 days', { expiresAt: inDays(21) }, undefined],
  ['ends in 20 days', { expiresAt: inDays(20) }, 'late'],
  ['ends in two days', { expiresAt: inDays(2) }, 'unproved'],
  ['is over', { expiresAt: inDays(-1) }, 'unproved'],
  [
    'is refused although it has a year',
    { expiresAt: inDays(365), lastRefusedAt: inDays(0) },
    'unproved',
  ],
])('a credential that %s', (_what, changes, state) => {
  expect(credentialState(credential(changes), NOW)).toBe(state);
});

test('credentials by days left, what is bad first and among what is dead; nothing gathered is bad', () => {
  const credentials = [
    credential({ name: 'vapid', kind: 'push-key' }),
    credential({ name: 'later', expiresAt: inDays(300) }),
    credential({ name: 'soon', expiresAt: inDays(12) }),
    credential({ name: 'fcm-account', kind: 'push-key', lastRefusedAt: inDays(0) }),
  ];
  const page = renderPage(model({ credentials }));
  const text = textOf(page);
  expect(text).toMatch(
    /fcm-account .*REFUSÉ.*soon .*12 jours.*later .*300 jours.*vapid .*sans date de fin/,
  );
  expect(text).toContain('clé d’envoi fcm-account (dispatcher a) : REFUSÉ');
  expect(page).toContain('/runbooks/credential-refused?lang=fr');
  expect(page).toContain('/runbooks/credential-ends?lang=fr');
  expect(pageText({ credentials: [] })).toContain('Rien n’a été relevé : compte comme mauvais.');
});

test('the same credential at two places is one line, as old as the older proof; one that is refused stays apart', () => {
  const at = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
  const all = [
    credential({ where: 'dispatcher a', lastProvedAt: at(5) }),
    credential({ where: 'dispatcher b', lastProvedAt: at(50) }),
    credential({ where: 'dispatcher b', lastProvedAt: at(9) }),
    credential({ where: 'dispatcher c', lastProvedAt: at(900), lastRefusedAt: at(1) }),
  ];
  expect(groupCredentials(all, NOW)).toEqual([
    credential({ where: 'dispatcher a, b', lastProvedAt: at(50) }),
    all[3],
  ]);
});

const drill = (changes: Partial<DrillRecord>): DrillRecord => ({
  v: 1,
  kind: 'dead-receiver',
  startedAt: new Date(NOW - DAY_MS - 120_000).toISOString(),
  endedAt: new Date(NOW - DAY_MS).toISOString(),
  ok: true,
  measures: { toPageSeconds: 71.4 },
  by: 'alice',
  ...changes,
});

test('P5: a drill that was never done counts as bad; failed is bad; long ago is late', () => {
  expect(drillState(undefined, NOW)).toBe('not-measured');
  expect(drillState(drill({ ok: false }), NOW)).toBe('unproved');
  expect(drillState(drill({}), NOW)).toBeUndefined();
  expect(drillState(drill({}), NOW + 9 * DAY_MS)).toBe('late');
  expect(drillState(drill({ kind: 'restore' }), NOW + 9 * DAY_MS)).toBeUndefined();
});

test('the last drill of each kind stands with its date and what was measured', () => {
  const drills = [drill({}), drill({ kind: 'restart', ok: false, measures: {} })];
  const text = pageText({ drills });
  expect(text).toContain('Récepteur mort appel après 71,4 s réussi hier 13 juil. 2026');
  expect(text).toMatch(
    /Redémarrage ÉCHOUÉ hier .*Restauration jamais fait .*Rectification jamais fait/,
  );
});

test('a screen reader hears of changes, not of ages', () => {
  const news = (changes: Partial<PageModel>) =>
    /data-news="([^"]*)"/.exec(plain(renderPage(model(changes))))?.[1];
  expect(news({})).toBe('Une alerte arriverait. Rien n’est connu comme mort.');
  expect(news({ wallNowMs: NOW + 5_000, ageNowMs: NOW + 5_000 })).toBe(news({}));
  const dead = [{ kind: 'bus' as const, name: 'b', answered: false, sinceMs: NOW - 9_000 }];
  expect(news({ dead })).toBe('Une alerte arriverait. 1 chose est connue comme morte.');
  expect(SCRIPT).toContain("getElementById('news').textContent = now");
});

test('every section has a heading that names it, and the skip link leads to the paths', () => {
  const page = renderPage(model());
  const named = [...page.matchAll(/aria-labelledby="([\w-]+)"/g)].map(([, id]) => id);
  expect(named.length).toBeGreaterThan(6);
  for (const id of named) expect(page).toContain(`id="${id}"`);
  expect(page).toContain('<a class="skip" href="#matrix-title">');
  expect(page.match(/<h1/g)).toHaveLength(1);
});

test('P5: an old page says so by itself: with script by its age, without it when the reload does not come', () => {
  const page = plain(renderPage(model()));
  expect(page).toContain('<body data-written="1784061067000">');
  expect(page).toContain('Page écrite à <b>20:31:07 UTC</b>');
  expect(page).toContain('data-unknown="ON NE SAIT PLUS si une alerte arriverait"');
  expect(page).toMatch(
    /<noscript><p class="stale timed">CETTE PAGE N’EST PLUS À JOUR[^<]*20:31:07/,
  );
  expect(STYLE).toContain(
    '.timed{position:fixed;left:0;right:0;visibility:hidden;animation:appear 1ms linear 15s forwards}',
  );
  expect(() => new Function(SCRIPT)).not.toThrow();
});
