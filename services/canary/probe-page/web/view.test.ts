import { expect, test } from '@jest/globals';
import { lateForMs, provedForMs } from '../../judge.ts';
import { formatAge, limitsOf, messageOf, outcomeOf, refusalOf, stateOf } from './view.ts';

const LIMITS = limitsOf(60);

test('it grows late and dead at the ages at which the canary says so of its card', () => {
  const timetable = { periodMs: 60_000, limitMs: 10_000 };
  expect(LIMITS).toEqual({ lateMs: provedForMs(timetable), deadMs: lateForMs(timetable) });
});

test.each<[number | undefined, number, string]>([
  [0, 0, 'fresh'],
  [90_000, 0, 'fresh'],
  [90_001, 0, 'late'],
  [150_000, 0, 'late'],
  [150_001, 0, 'dead'],
  [undefined, 150_000, 'waiting'],
  [undefined, 150_001, 'dead'],
])(
  'P5: an age of %s ms, watching for %s ms, is %s: only a message makes it fresh',
  (age, since, state) => {
    expect(stateOf(age, since, LIMITS)).toBe(state);
  },
);

test.each([
  [-5, '0 s'],
  [119_999, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '119 min'],
  [7_500_000, '2 h 05'],
])('%s ms reads %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

const RECEIVED = {
  atMs: Date.UTC(2026, 10, 22, 10, 4, 5),
  kind: 'real',
  headline: 'Crue du Var',
  via: 'b',
  outcome: 'silent',
  reason: undefined,
} as const;

test('a message says what it was, when it came and by whom, in both languages', () => {
  expect(messageOf(RECEIVED)).toEqual({
    fr: 'ALERTE RÉELLE : « Crue du Var », reçue à 10:04:05 UTC par le répartiteur b',
    en: 'REAL ALERT: “Crue du Var”, received at 10:04:05 UTC through dispatcher b',
  });
  expect(outcomeOf(RECEIVED).fr).toBe('LE VEILLEUR NE RÉPOND PAS.');
  expect(outcomeOf({ ...RECEIVED, outcome: 'refused', reason: 'repeated' }).en).toBe(
    'The canary refuses the receipt (repeated).',
  );
  expect(refusalOf({ ...RECEIVED, reason: 'expired' }).fr).toBe(
    'Message refusé à 10:04:05 UTC : périmé',
  );
});
