import { expect, test } from '@jest/globals';
import { judgePath, newPathRecord, recordRound, stateAt } from '../judge.ts';
import type { PartKind } from '../known-dead/watch-parts.ts';
import { REFUSAL_KINDS } from '../refusing/refusal-kinds.ts';
import type { RefusalsState } from '../refusing/start-refusing.ts';
import { SAMPLE_PATHS, samplePage, sampleProofs } from '../test-support/sample-page.ts';
import { formatAge, formatLatency } from './ages.ts';
import { html } from './html.ts';
import { renderPage } from './page.ts';
import type { PageModel } from './page-model.ts';
import { runbookMarkup } from './runbook-markup.ts';
import type { Language } from './texts.ts';

const NOW = Date.UTC(2026, 6, 14, 20, 31, 7);
/** `ageOf`: seconds since the last proof by a dispatcher; undefined: never proved, 34 s after the start. */
const model = (
  ageOf: (dispatcher: string) => number | undefined,
  changes: Partial<PageModel> = {},
): PageModel =>
  samplePage(NOW, {
    ...sampleProofs(NOW, ({ dispatcher }) => ageOf(dispatcher)),
    ...changes,
  });

/** What a reader sees: no tags, no style, no script. */
const textOf = (page: string) =>
  page
    .replaceAll(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ');

test('all proved: one sentence, and the age and latency of every path', () => {
  const text = textOf(renderPage(model(() => 4)));
  expect(text).toContain(
    'Une alerte arriverait Dernière preuve il y a 4 s · 16 chemins sur 16 prouvés',
  );
  expect(text.match(/prouvé il y a 4 s 340 ms/g)).toHaveLength(16);
  expect(text).toContain('Rien n’est connu comme mort. Cela ne prouve rien');
});

test('P5: nothing proved is said in capitals, with the time of silence and what to do instead', () => {
  const text = textOf(renderPage(model(() => 212)));
  expect(text).toContain('AUCUNE PREUVE depuis 212 s');
  expect(text).toContain('téléphone, sirènes, FR-Alert');
  expect(text).toContain('Tous les chemins échouent depuis 212 s');
});

test('P5: a canary that has just started claims nothing', () => {
  const text = textOf(renderPage(model(() => undefined, { language: 'en' })));
  expect(text).toContain('NO PROOF since the start, for 34 s');
  expect(text.match(/never proved 34 s/g)).toHaveLength(16);
});

test('a dead dispatcher is named by the sentence that its paths have in common', () => {
  const mixed = model((dispatcher) => (dispatcher === 'b' ? 212 : 4));
  expect(textOf(renderPage(mixed))).toMatch(
    /mais pas par tous les chemins .*8 chemins sur 16.*Tous les chemins par le répartiteur b échouent depuis 212 s/,
  );
  expect(textOf(renderPage({ ...mixed, language: 'en' }))).toContain(
    'All paths through dispatcher b have been failing for 212 s',
  );
});

test('parts are mentioned only when they are dead, with the time since then and a runbook; the headline says so', () => {
  expect(textOf(renderPage(model(() => 4)))).not.toContain('ne répond pas,');
  const part = (kind: PartKind, name: string, answered = false) => ({
    kind,
    name,
    answered,
    sinceMs: NOW - 72_000,
  });
  const dead = [
    part('dispatcher', 'b'),
    part('ingest', 'a', true),
    part('bus', 'b'),
    part('probe', 'a-fcm'),
    part('canary', 'b'),
  ];
  const page = renderPage(model(() => 4, { dead }));
  const text = textOf(page).replaceAll('\u00a0', ' ');
  for (const words of [
    'Répartiteur b : ne répond pas, depuis 72 s',
    'Ingest a : dit qu’il n’est pas prêt, depuis 72 s',
    'Bus (NATS) b : ne répond pas, depuis 72 s',
    'Sonde a-fcm : n’est plus connectée, depuis 72 s',
    'Veilleur b : ne répond pas, depuis 72 s',
    'Mais quelque chose est mort ou en défaut',
  ])
    expect(text).toContain(words);
  expect(page).toContain('class="verdict some"');
  for (const runbook of [
    'process-at-fault',
    'bus-unhealthy',
    'transport-unproved',
    'canary-silent',
  ])
    expect(page).toContain(`/runbooks/${runbook}?lang=fr`);
});

test('another canary that does not answer is bad, whatever it said before', () => {
  const other = {
    name: 'b',
    reachable: false,
    newestProofAtMs: NOW,
    provedPaths: 16,
    totalPaths: 16,
    silentSinceMs: NOW - 9_000,
  };
  const page = renderPage(model(() => 4, { otherCanaries: [other] }));
  expect(page).toContain('class="box bad"');
  expect(textOf(page)).toContain('NE RÉPOND PAS');
});

test('a real alert is shown with the probes that received it, and everything from outside is escaped', () => {
  const hostile = `<script>alert("1")</script>&'`;
  const id = '0'.repeat(32);
  const witness = {
    alertId: id,
    probe: 'a-fcm',
    transport: 'fcm' as const,
    via: 'b',
    receivedAt: '2026-07-14T20:31:08.402Z',
  };
  const realAlert = {
    id,
    headlines: { fr: hostile },
    status: 'Actual',
    msgType: 'Alert',
    sent: '2026-07-14T22:31:07+02:00',
    senderName: hostile,
    acceptedAtMs: NOW,
    transports: [],
    witnesses: [witness],
    probes: 2,
  };
  const page = renderPage(
    model(() => 4, {
      realAlert,
      canary: hostile,
      runbooksUrl: `https://x/"onclick="alert(1)`,
    }),
  );
  expect(textOf(page)).toContain('reçue par 1 sonde sur 2');
  expect(textOf(page)).toContain('après 1,4 s');
  expect(page).toContain('20:31:08.402');
  expect(page).not.toContain('<script>alert');
  expect(page).not.toContain('"onclick');
  expect(
    page.match(/&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt;&amp;&#39;/g),
  ).toHaveLength(3);
});

test('without script the page reloads itself; nothing is loaded from elsewhere', () => {
  const page = renderPage(model(() => 4));
  expect(page).toContain('<noscript><meta http-equiv="refresh" content="5"></noscript>');
  expect(page).not.toMatch(/ src=|<link|@import|url\(/);
});

test.each([
  [-5, '0 s'],
  [999, '0 s'],
  [12_400, '12 s'],
  [299_999, '299 s'],
  [300_000, '5 min'],
  [7_199_000, '119 min'],
  [11_100_000, '3 h 05'],
])('an age of %d ms reads %s', (ageMs, text) => {
  expect(formatAge(ageMs)).toBe(text);
});

test('latencies read in the reader’s language', () => {
  expect([
    formatLatency(340, 'fr'),
    formatLatency(4_210, 'fr'),
    formatLatency(4_210, 'en'),
  ]).toEqual(['340 ms', '4,2 s', '4.2 s']);
});

test('P5: a transport that brings nothing to anybody is the headline, although the other one is proved', () => {
  const black = samplePage(
    NOW,
    sampleProofs(NOW, ({ transport }) => (transport === 'fcm' ? 212 : 4)),
  );
  const text = textOf(renderPage(black));
  expect(text).toContain('RIEN N’ARRIVE PAR FCM depuis 212 s');
  expect(text).toContain('n’auraient pas l’alerte');
  expect(text).not.toContain('Une alerte arriverait');
  expect(textOf(renderPage({ ...black, language: 'en' }))).toContain(
    'NOTHING ARRIVES BY FCM for 212 s',
  );
});

test('no line breaks before French punctuation, nor between a number and its word', () => {
  const page = renderPage(model(() => 212));
  expect(page).toContain('sur Tocsin\u00a0: téléphone');
  expect(page).toContain('une ronde manque\u00a0; le chemin');
  expect(renderPage(model(() => 4))).toContain('16\u00a0chemins sur 16\u00a0prouvés');
  expect(html`<p>${'jusqu’à 95 %.'}</p>`.markup).toBe('<p>jusqu’à 95\u00a0%.</p>');
});

test('a runbook is escaped, and links to no page but other runbooks', () => {
  const { markup } = runbookMarkup(
    '# Title\n\nSay **now**, `a<b`.\n\n1. See [that](no-proof.md).\n2. Not [here](https://evil.example/).',
  );
  expect(markup).toBe(
    '<h1>Title</h1><p>Say <b>now</b>, <code>a&lt;b</code>.</p>' +
      '<ol><li>See <a href="/runbooks/no-proof">that</a>.</li><li>Not here.</li></ol>',
  );
});

const STORED_TIMETABLE = { periodMs: 300_000, limitMs: 40_000 };
/** A stored path that was last proved so many seconds ago; undefined: never, watched for two hours. */
function stored(ageSeconds: number | undefined) {
  const [path] = SAMPLE_PATHS;
  if (!path) throw new Error('no path');
  const fresh = newPathRecord(path, NOW - 7_200_000);
  const record =
    ageSeconds === undefined
      ? fresh
      : recordRound(fresh, { kind: 'proved', latencyMs: 310 }, NOW - ageSeconds * 1000);
  const judged = judgePath(record, NOW, STORED_TIMETABLE);
  return { probe: 'a-stored', judged, timetable: STORED_TIMETABLE };
}

test('the stored path has its own age, by its own period: 400 s are fresh there', () => {
  const page = renderPage(model(() => 4, { stored: stored(400) }));
  expect(textOf(page).replaceAll('\u00a0', ' ')).toContain(
    'Téléphone éteint prouvé il y a 6 min rallumé toutes les 5 min · message retrouvé en 310 ms',
  );
  expect(page).toContain('data-proved-ms="450000" data-late-ms="750000"');
  expect(textOf(page)).toContain('Rien n’est connu comme mort');
});

test.each<[number | undefined, Language, string, boolean]>([
  [500, 'fr', 'en retard il y a 8 min', false],
  [800, 'fr', 'Un téléphone éteint ne retrouve pas ses messages, depuis 13 min', true],
  [800, 'en', 'A phone that was off does not find its messages, for 13 min', true],
  [undefined, 'fr', 'Un téléphone éteint ne retrouve pas ses messages, depuis 2 h 00', true],
])('P5: a stored path without proof for %s s is said (%s)', (seconds, language, words, fails) => {
  const page = renderPage(model(() => 4, { stored: stored(seconds), language }));
  const text = textOf(page).replaceAll('\u00a0', ' ');
  expect(text).toContain(words);
  expect(page.includes('/stored-path-unproved?lang=')).toBe(fails);
});

/** Every kind was refused so many seconds ago; `accepted`: one of them was let through so many times. */
function refusals(ageSeconds: number, accepted = 0): RefusalsState {
  const timetable = { periodMs: 3_600_000, limitMs: 10_000 };
  const silenceMs = ageSeconds * 1000;
  const state = stateAt(silenceMs, timetable);
  return {
    timetable,
    kinds: REFUSAL_KINDS.map((kind) =>
      kind === 'forged' && accepted > 0
        ? { kind, state: 'unproved', ageMs: silenceMs, silenceMs, accepted }
        : { kind, state, ageMs: silenceMs, silenceMs, accepted: 0 },
    ),
  };
}

test('P8: what devices must refuse stands on the page by its age', () => {
  const text = textOf(renderPage(model(() => 4, { refusals: refusals(1_500) })));
  expect(text.replaceAll('\u00a0', ' ')).toContain(
    'Signature fausse refusé il y a 25 min tenté toutes les 60 min Message périmé refusé il y a 25 min',
  );
  expect(text).toContain('Rien n’est connu comme mort');
});

test('P8: a false message that was accepted is said in capitals, and no age makes it milder', () => {
  const page = renderPage(model(() => 4, { refusals: refusals(1_500, 2), language: 'en' }));
  expect(textOf(page)).toContain('A PHONE ACCEPTS WHAT IT MUST REFUSE: Forged signature');
  expect(textOf(page)).toContain('ACCEPTED');
  expect(page).toContain('/negative-canary-shown?lang=en');
  expect(page).toContain('class="verdict some"');
  expect(textOf(page)).toContain('But something is dead or fails: read what follows.');
  expect(page.match(/data-proved-ms="5400000"/g)).toHaveLength(3);
});

test('P5: refusals that were not seen for hours are an alarm, not a habit', () => {
  const page = renderPage(model(() => 4, { refusals: refusals(9_001) }));
  expect(textOf(page)).toContain('Plus rien ne prouve que ceci est refusé (Signature fausse)');
  expect(page).toContain('/negative-canary-silent?lang=fr');
});

test('clocks: the oldest comparison counts, and one that is off is named with its runbook', () => {
  const clock = (name: string, skewMs: number, ageMs: number) => ({
    kind: 'dispatcher' as const,
    name,
    skewMs,
    measuredAtMs: NOW - ageMs,
  });
  const well = model(() => 4, { clocks: [clock('a', 0, 3_000), clock('b', 900, 33_000)] });
  expect(textOf(renderPage(well))).toContain('Horloges d’accord il y a 33 s');
  expect(textOf(renderPage(well))).toContain('Rien n’est connu comme mort');
  const off = model(() => 4, { clocks: [clock('a', 0, 3_000), clock('b', -7_200_000, 3_000)] });
  const page = renderPage(off);
  expect(textOf(page).replaceAll('\u00a0', ' ')).toContain(
    'L’horloge du répartiteur b retarde de 2 h 00',
  );
  expect(textOf(page)).toContain('Horloges en désaccord');
  expect(page).toContain('/clock-skew?lang=fr');
  const old = model(() => 4, { clocks: [clock('a', 0, 200_000)] });
  expect(textOf(renderPage(old))).toContain('Horloges sans preuve il y a 200 s');
  const oneAway = model(() => 4, { clocks: [clock('a', 0, 200_000), clock('b', 0, 3_000)] });
  expect(textOf(renderPage(oneAway))).toContain('sans preuve il y a 200 s 1 sur 2 comparées');
});
