import { expect, test } from '@jest/globals';
import type { Alert } from '../../../shared/alert/alert.ts';
import { Envelope } from '../../../shared/envelope/envelope.ts';
import {
  createSigningKey,
  signedEnvelope,
  testAlert,
} from '../../../tests/support/signed-alerts.ts';
import { shownAlerts } from '../alerts/alert-state.ts';
import { html } from './html.ts';
import { alertPage, MAX_PAGE_BYTES, wallClock } from './render-alert.ts';
import { homePage } from './render-home.ts';
import { pageLanguage } from './texts.ts';

const key = createSigningKey('public');

async function shown(...alerts: Alert[]) {
  const envelopes = await Promise.all(
    alerts.map(async (alert) => {
      const { jws } = await signedEnvelope(alert, key);
      return Envelope.parse(
        JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()),
      );
    }),
  );
  return shownAlerts(envelopes, Date.now());
}

test('values are escaped, templates within templates are not', () => {
  const inner = html`<b>${'<&"\'>'}</b>`;
  expect(html`<i title="${'"'}">${[inner, inner]}${undefined}${false}${0}</i>`.html).toBe(
    '<i title="&quot;"><b>&lt;&amp;&quot;&#39;&gt;</b><b>&lt;&amp;&quot;&#39;&gt;</b>0</i>',
  );
});

test.each([
  ['en', 'fr-FR', 'en'],
  [undefined, 'fr-FR,en;q=0.5', 'fr'],
  [undefined, 'de-DE,en;q=0.7,fr;q=0.3', 'en'],
  [undefined, 'de', 'fr'],
  ['xx', undefined, 'fr'],
  [['en', 'fr'], undefined, 'fr'],
])('language: chosen %j, browser %j → %s', (chosen, header, language) => {
  expect(pageLanguage(chosen, header)).toBe(language);
});

test('an instant is shown as on the sender’s wall, overseas too', () => {
  expect(wallClock('2026-07-14T22:31:07+02:00', 'fr')).toBe('14 juillet 2026 à 22:31');
  expect(wallClock('2026-07-14T22:31:07+11:00', 'en')).toBe('14 July 2026 at 22:31');
});

test('an alert’s page stays within one flight: languages that do not fit are left out, the first never', async () => {
  const alert = testAlert({ identifier: 'long' });
  const [first, second] = alert.info;
  if (!first || !second) throw new Error('the test alert has two languages');
  const long = { ...second, description: 'x'.repeat(2000), instruction: 'y'.repeat(1500) };
  const many = ['de-DE', 'es-ES', 'it-IT', 'pt-PT'].map((language) => ({ ...long, language }));
  const [only] = await shown({ ...alert, info: [...many, first] });
  if (!only) throw new Error('one alert was given');
  const page = alertPage(only);
  expect(Buffer.byteLength(page)).toBeLessThanOrEqual(MAX_PAGE_BYTES);
  expect(page.indexOf('lang="fr-FR"')).toBeLessThan(page.indexOf('lang="de-DE"'));
  expect(page).toContain('Abritez-vous');
});

test('an exercise says so, and names no danger', async () => {
  const [exercise] = await shown(testAlert({ identifier: 'ex', status: 'Exercise' }));
  if (!exercise) throw new Error('one alert was given');
  const page = alertPage(exercise);
  expect(page).toContain('EXERCICE');
  expect(page).not.toContain('Danger extrême');
});

test('the public page lists what is in force, and a cancelled alert among the past ones', async () => {
  const cancelled = testAlert({ identifier: 'c1', headline: 'Crue' });
  const cancel = testAlert({
    identifier: 'c2',
    msgType: 'Cancel',
    references: [cancelled],
    headline: 'Fin de crue',
  });
  const calm = homePage(await shown(cancelled, cancel), 'fr');
  expect(calm).toContain('Aucune alerte en cours.');
  expect(calm).toContain('Alertes terminées (1)');
  expect(calm).not.toContain('Fin de crue');
  const busy = homePage(await shown(cancelled, cancel, testAlert({ identifier: 'c3' })), 'en');
  expect(busy).toContain('Attack on the promenade des Anglais');
  expect(busy).not.toContain('No alert at the moment');
});
