import { expect, test } from '@jest/globals';
import type { Alert } from '../../../shared/alert/alert.ts';
import { checkAlert } from '../../../shared/alert/check-alert.ts';
import { formatReference } from '../../../shared/alert/references.ts';
import { capTime, niceAlert } from '../../../tests/support/ingest-fixtures.ts';
import { buildCancel, buildUpdate, type Chain, unknownLanguages } from './follow-up.ts';

const NOW = Date.parse('2026-07-14T20:31:07Z');
const LATER = NOW + 600_000;
const first = niceAlert(NOW);
const checked = (message: unknown, nowMs: number): Alert => {
  const result = checkAlert(message, nowMs);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.alert;
};
const update = checked(
  buildUpdate(
    [first],
    { info: first.info.map(({ expires: _old, ...info }) => info) },
    NOW + 60_000,
  ),
  NOW + 60_000,
);

test('P3: a Cancel is a valid CAP message with the languages and areas of its alert, in plain words', async () => {
  const cancel = checked(await buildCancel([first], {}, LATER), LATER);
  expect(cancel).toMatchObject({
    identifier: expect.stringMatching(/^nice-1\.cancel-[\w-]{16}$/),
    msgType: 'Cancel',
    references: formatReference(first),
    sender: first.sender,
  });
  expect(cancel.info.map(({ language, area, expires }) => ({ language, area, expires }))).toEqual(
    first.info.map(({ language, area, expires }) => ({ language, area, expires })),
  );
  expect(cancel.info.map(({ headline }) => headline)).toEqual([
    'ALERTE ANNULÉE\u00a0: ce message a été envoyé par erreur. N’en tenez plus compte.',
    'ALERT CANCELLED: this message was sent by mistake. Please disregard it.',
  ]);
  expect(cancel.info.flatMap(({ responseType }) => responseType)).toEqual(['None', 'None']);
});

test('P2 P4: one request is one Cancel at every ingest that knows the same, and another message where other updates are known', async () => {
  const request = { sent: capTime(LATER) };
  const [here, there, elsewhere, other] = await Promise.all([
    buildCancel([first], request, LATER),
    buildCancel([first], request, LATER + 900),
    buildCancel([first, update], request, LATER),
    buildCancel([first], { ...request, reason: { 'fr-FR': { headline: 'Erreur' } } }, LATER),
  ]);
  expect(there).toEqual(here);
  expect(new Set([here, elsewhere, other].map(({ identifier }) => identifier)).size).toBe(3);
  expect(checked(elsewhere, LATER).references).toContain(checked(here, LATER).references);
});

test('a Cancel has the identifier that its client gives, and a short enough one when the alert’s is long', async () => {
  const named = await buildCancel([first], { identifier: 'mine' }, LATER);
  expect(named.identifier).toBe('mine');
  const long = { ...first, identifier: 'x'.repeat(120) };
  expect(checked(await buildCancel([long], {}, LATER), LATER).identifier).toHaveLength(120);
});

test('a Cancel takes down the updates as well', async () => {
  const cancel = checked(await buildCancel([first, update], {}, LATER), LATER);
  expect(cancel.references).toBe(`${formatReference(first)} ${formatReference(update)}`);
});

test('P2: when an update named other areas, everybody who got one hears of the Cancel', async () => {
  const area = [{ areaDesc: 'Cannes', geocode: [{ valueName: 'INSEE:COM', value: '06029' }] }];
  const moved = { ...update, info: update.info.map((info) => ({ ...info, area })) };
  const cancel = checked(await buildCancel([first, moved], {}, LATER), LATER);
  expect(cancel.info[1]?.area.map(({ areaDesc }) => areaDesc)).toEqual(['Nice', 'Cannes']);
});

test('a reason replaces the plain words in its language', async () => {
  const cancel = await buildCancel(
    [first],
    { reason: { 'fr-FR': { headline: 'Fausse alerte', description: 'Erreur.' } } },
    LATER,
  );
  expect(cancel.info.map(({ headline }) => headline)).toEqual([
    'Fausse alerte',
    'ALERT CANCELLED: this message was sent by mistake. Please disregard it.',
  ]);
  expect(unknownLanguages([first], { reason: { 'de-DE': {}, 'fr-FR': {} } })).toEqual(['de-DE']);
});

test('an exercise is cancelled as an exercise', async () => {
  const exercise: Chain = [
    {
      ...first,
      status: 'Exercise',
      info: first.info.map((info) => ({ ...info, headline: `EXERCICE EXERCISE ${info.headline}` })),
    },
  ];
  expect(checked(await buildCancel(exercise, {}, LATER), LATER).info[0]?.headline).toContain(
    'EXERCICE',
  );
});

test('an alert in its last seconds can still be cancelled', async () => {
  const late = Date.parse(first.info[0]?.expires ?? '') - 5_000;
  expect(checked(await buildCancel([first], {}, late), late).info[0]?.expires).toBe(
    capTime(late + 60_000),
  );
});

test('an Update keeps sender, status and expiry, and refers to what came before', () => {
  expect(update).toMatchObject({
    identifier: 'nice-1.update-1',
    msgType: 'Update',
    status: 'Actual',
    references: formatReference(first),
  });
  expect(update.info[0]?.expires).toBe(first.info[0]?.expires);
  const second = buildUpdate([first, update], { info: update.info }, LATER);
  expect(second).toMatchObject({
    identifier: 'nice-1.update-2',
    references: `${formatReference(first)} ${formatReference(update)}`,
  });
});
