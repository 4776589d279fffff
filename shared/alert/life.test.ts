import { expect, test } from '@jest/globals';
import {
  SAMPLE_SENT,
  SAMPLE_SENT_MS,
  sampleAlert,
  sampleInfo,
  sampleTest,
} from '../../tests/support/sample-alert.ts';
import { AlertId, alertId } from './alert-id.ts';
import { expiresAtMs, remainingSeconds } from './expiry.ts';
import { levelOf } from './level.ts';
import { formatReference, parseReferences } from './references.ts';

test('P3: an alert ends with the first of its languages, and never after its longest life', () => {
  const early = sampleInfo({ expires: '2026-07-14T23:00:00+02:00' });
  expect(expiresAtMs(sampleAlert({ info: [sampleInfo(), early] }), 'public')).toBe(
    Date.parse(early.expires),
  );
  const late = sampleInfo({ expires: '2027-01-01T00:00:00+01:00' });
  expect(expiresAtMs(sampleAlert({ info: [late] }), 'public')).toBe(
    SAMPLE_SENT_MS + 24 * 3_600_000,
  );
  expect(expiresAtMs(sampleTest({ info: [late] }), 'canary')).toBe(SAMPLE_SENT_MS + 120_000);
});

test.each([
  [10_000, 0, 10],
  [10_000, 9_001, 0],
  [10_000, 10_000, 0],
  [10_000, 99_000, 0],
])('P3: with the end at %i ms, at %i ms there are %i seconds left', (end, now, left) => {
  expect(remainingSeconds(end, now)).toBe(left);
});

test('the same CAP identity has the same id, however its instant is spelled; any other has another', async () => {
  const identity = { sender: 's', identifier: 'i', sent: SAMPLE_SENT };
  const id = await alertId(identity);
  expect(AlertId.safeParse(id).success).toBe(true);
  expect(await alertId({ ...identity, sent: '2026-07-14T20:31:07+00:00' })).toBe(id);
  const others = [
    { ...identity, sender: 't' },
    { ...identity, identifier: 'j' },
    { ...identity, sent: '2026-07-14T22:31:08+02:00' },
    { sender: 'si', identifier: '', sent: SAMPLE_SENT },
  ];
  const ids = await Promise.all(others.map(alertId));
  expect(new Set([id, ...ids]).size).toBe(5);
});

test('references are read as they are written, and what is no triple is handed back', () => {
  const one = { sender: 'a', identifier: 'b', sent: SAMPLE_SENT };
  const two = { ...one, identifier: 'c' };
  expect(
    parseReferences(
      ` ${formatReference(one)}\n${formatReference(two)} a,b a,b,c a,b,${SAMPLE_SENT},d `,
    ),
  ).toEqual({
    references: [one, two],
    malformed: ['a,b', 'a,b,c', `a,b,${SAMPLE_SENT},d`],
  });
  expect(parseReferences('')).toEqual({ references: [], malformed: [] });
});

test.each([
  ['Extreme', 'Immediate', 'Observed', 'extreme'],
  ['Extreme', 'Immediate', 'Likely', 'extreme'],
  ['Extreme', 'Expected', 'Likely', 'severe'],
  ['Severe', 'Immediate', 'Observed', 'severe'],
  ['Severe', 'Expected', 'Likely', 'severe'],
  ['Extreme', 'Immediate', 'Possible', 'information'],
  ['Extreme', 'Future', 'Observed', 'information'],
  ['Severe', 'Past', 'Observed', 'information'],
  ['Moderate', 'Immediate', 'Observed', 'information'],
  ['Unknown', 'Unknown', 'Unknown', 'information'],
] as const)('%s, %s, %s rings as %s', (severity, urgency, certainty, level) => {
  expect(levelOf(sampleAlert({ info: [sampleInfo({ severity, urgency, certainty })] }))).toBe(
    level,
  );
});

test('exercises and tests never ring as an alert, however extreme they say they are', () => {
  expect(levelOf(sampleAlert({ status: 'Exercise' }))).toBe('exercise');
  expect(levelOf(sampleTest())).toBe('test');
});
