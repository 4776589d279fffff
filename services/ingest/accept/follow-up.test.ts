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

test('P3: a Cancel is a valid CAP message with the languages and areas of its alert, in plain words', () => {
  const cancel = checked(buildCancel([first], {}, LATER), LATER);
  expect(cancel).toMatchObject({
    identifier: 'nice-1.cancel',
    msgType: 'Cancel',
    references: formatReference(first),
    sender: first.sender,
  });
  expect(cancel.info.map(({ language, area, expires }) => ({ language, area, expires }))).toEqual(
    first.info.map(({ language, area, expires }) => ({ language, area, expires })),
  );
  expect(cancel.info.map(({ headline }) => headline)).toEqual([
    'FIN D’ALERTE : Attentat',
    'ALERT ENDED: Attack',
  ]);
});

test('a Cancel takes down the updates as well', () => {
  const cancel = checked(buildCancel([first, update], {}, LATER), LATER);
  expect(cancel.references).toBe(`${formatReference(first)} ${formatReference(update)}`);
});

test('P2: when an update named other areas, everybody who got one hears that it is over', () => {
  const area = [{ areaDesc: 'Cannes', geocode: [{ valueName: 'INSEE:COM', value: '06029' }] }];
  const moved = { ...update, info: update.info.map((info) => ({ ...info, area })) };
  const cancel = checked(buildCancel([first, moved], {}, LATER), LATER);
  expect(cancel.info[1]?.area.map(({ areaDesc }) => areaDesc)).toEqual(['Nice', 'Cannes']);
});

test('a reason replaces the plain words in its language', () => {
  const cancel = buildCancel(
    [first],
    { reason: { 'fr-FR': { headline: 'Fausse alerte', description: 'Erreur.' } } },
    LATER,
  );
  expect(cancel.info.map(({ headline }) => headline)).toEqual([
    'Fausse alerte',
    'ALERT ENDED: Attack',
  ]);
  expect(unknownLanguages([first], { reason: { 'de-DE': {}, 'fr-FR': {} } })).toEqual(['de-DE']);
});

test('an exercise is cancelled as an exercise', () => {
  const exercise: Chain = [
    {
      ...first,
      status: 'Exercise',
      info: first.info.map((info) => ({ ...info, headline: `EXERCICE EXERCISE ${info.headline}` })),
    },
  ];
  expect(checked(buildCancel(exercise, {}, LATER), LATER).info[0]?.headline).toContain('EXERCICE');
});

test('an alert in its last seconds can still be cancelled', () => {
  const late = Date.parse(first.info[0]?.expires ?? '') - 5_000;
  expect(checked(buildCancel([first], {}, late), late).info[0]?.expires).toBe(
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
