import { expect, test } from '@jest/globals';
import { makeApiKeys, niceAlert, testAlert } from '../../../tests/support/ingest-fixtures.ts';
import type { ApiKey } from './api-keys.ts';
import { authorizeAlert } from './authorize-alert.ts';

const NOW = Date.parse('2026-07-14T20:31:07Z');
const alert = niceAlert(NOW);
const [key] = makeApiKeys() as [ApiKey];
const fieldsOf = (input: unknown, of: ApiKey = key) =>
  authorizeAlert(input, of).map(({ field }) => field);
const severe = {
  ...alert,
  info: alert.info.map((info) => ({ ...info, severity: 'Severe' as const })),
};
const marseille = { areaDesc: 'Marseille', geocode: [{ valueName: 'INSEE:COM', value: '13055' }] };

test('an alert within sender, status, territory and severity is authorised', () => {
  expect(fieldsOf(alert)).toEqual([]);
  expect(fieldsOf({ ...alert, status: 'Exercise' })).toEqual([]);
  expect(fieldsOf(severe, { ...key, maxSeverity: 'Severe' })).toEqual([]);
});

test.each<[string, unknown, ApiKey, string[]]>([
  ['another sender', { ...alert, sender: 'pref13@alerte.example' }, key, ['sender']],
  [
    'a status that the key lacks',
    { ...alert, status: 'Exercise' },
    { ...key, statuses: ['Actual'] },
    ['status'],
  ],
  [
    'P6: a Test with a prefecture’s key',
    testAlert(NOW, { sender: key.sender }),
    key,
    ['status', 'info[0].area[0].geocode'],
  ],
  [
    'too high a severity',
    alert,
    { ...key, maxSeverity: 'Severe' },
    ['info[0].severity', 'info[1].severity'],
  ],
  [
    'an area outside the territory',
    { ...alert, info: [{ ...alert.info[0], area: [...(alert.info[0]?.area ?? []), marseille] }] },
    key,
    ['info[0].area[1].geocode'],
  ],
  [
    'the whole department with a commune’s key',
    {
      ...alert,
      info: [
        {
          ...alert.info[0],
          area: [{ areaDesc: '06', geocode: [{ valueName: 'INSEE:DEP', value: '06' }] }],
        },
      ],
    },
    { ...key, territory: ['06088'] },
    ['info[0].area[0].geocode'],
  ],
  [
    'somebody else’s alert',
    {
      ...alert,
      msgType: 'Cancel',
      references: 'pref13@alerte.example,x,2026-07-14T20:00:00+00:00',
    },
    key,
    ['references'],
  ],
])('P7: %s is refused', (_what, input, of, fields) => {
  expect(fieldsOf(input, of)).toEqual(fields);
});

test('everything is listed at once, also in a message whose shape is wrong', () => {
  const broken = {
    sender: 'x@y',
    status: 'System',
    info: [{ severity: 7, area: [marseille, 'nowhere', { geocode: [3, { value: 4 }] }] }, null],
  };
  expect(fieldsOf(broken)).toEqual(['sender', 'status', 'info[0].area[0].geocode']);
  for (const strange of [null, 3, 'x', [], { info: 'x' }, { info: [[]] }])
    expect(fieldsOf(strange)).toEqual([]);
});
