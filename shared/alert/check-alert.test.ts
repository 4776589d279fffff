import { expect, test } from '@jest/globals';
import {
  SAMPLE_SENT_MS,
  sampleAlert,
  sampleInfo,
  sampleTest,
} from '../../tests/support/sample-alert.ts';
import { checkAlert } from './check-alert.ts';

const NOW = SAMPLE_SENT_MS + 1_000;
const REFERENCE = 'pref06@alerte.example,nice-0,2026-07-14T22:00:00+02:00';

function fieldsOf(input: unknown, nowMs = NOW): string[] {
  const checked = checkAlert(input, nowMs);
  return checked.ok ? [] : checked.problems.map(({ field }) => field);
}

test.each([
  ['an Alert', sampleAlert()],
  [
    'an Exercise that says so',
    sampleAlert({ status: 'Exercise', info: [sampleInfo({ headline: 'EXERCICE à Nice' })] }),
  ],
  ['a canary’s Test', sampleTest()],
  ['an Update', sampleAlert({ msgType: 'Update', references: REFERENCE })],
  [
    'a Cancel without instruction',
    sampleAlert({ msgType: 'Cancel', references: REFERENCE, info: [withoutInstruction()] }),
  ],
  ['two languages', sampleAlert({ info: [sampleInfo(), sampleInfo({ language: 'en-GB' })] })],
])('%s that breaks no rule is taken', (_what, alert) => {
  expect(checkAlert(alert, NOW)).toEqual({ ok: true, alert });
});

function withoutInstruction() {
  const { instruction: _left, ...info } = sampleInfo();
  return info;
}

const at = (info: object) => ({ ...sampleAlert(), info: [{ ...sampleInfo(), ...info }] });
const alertWith = (changes: object) => ({ ...sampleAlert(), ...changes });

test.each<[string, unknown, string]>([
  ['no object', 42, ''],
  ['null', null, ''],
  ['a list', [sampleAlert()], ''],
  ['unknown field', alertWith({ hedline: 'x' }), 'hedline'],
  ['unknown field in an info', at({ instructions: 'x' }), 'info[0].instructions'],
  ['30 February', alertWith({ sent: '2026-02-30T10:00:00+01:00' }), 'sent'],
  ['29 February of a year that has none', alertWith({ sent: '2026-02-29T10:00:00+01:00' }), 'sent'],
  ['hour 25', alertWith({ sent: '2026-07-14T25:00:00+02:00' }), 'sent'],
  ['Z in place of an offset', alertWith({ sent: '2026-07-14T20:31:07Z' }), 'sent'],
  ['milliseconds', alertWith({ sent: '2026-07-14T22:31:07.000+02:00' }), 'sent'],
  ['no offset', alertWith({ sent: '2026-07-14T22:31:07' }), 'sent'],
  ['sent in the future', alertWith({ sent: '2026-07-14T22:37:07+02:00' }), 'sent'],
  ['sent two days ago', alertWith({ sent: '2026-07-12T22:31:07+02:00' }), 'sent'],
  ['comma in the sender', alertWith({ sender: 'a,b' }), 'sender'],
  ['space in the identifier', alertWith({ identifier: 'a b' }), 'identifier'],
  ['no info', alertWith({ info: [] }), 'info'],
  ['info that is no list', alertWith({ info: 'x' }), 'info'],
  ['status of its own making', alertWith({ status: 'Real' }), 'status'],
  ['System', alertWith({ status: 'System' }), 'status'],
  ['Draft', alertWith({ status: 'Draft' }), 'status'],
  ['Ack', alertWith({ msgType: 'Ack' }), 'msgType'],
  ['a first Alert with references', alertWith({ references: REFERENCE }), 'references'],
  ['an Update without references', alertWith({ msgType: 'Update' }), 'references'],
  [
    'a Cancel whose references are words',
    alertWith({ msgType: 'Cancel', references: 'the last one' }),
    'references',
  ],
  [
    'a reference with a Z',
    alertWith({ msgType: 'Update', references: 'a,b,2026-07-14T20:00:00Z' }),
    'references',
  ],
  [
    'a reference to itself',
    alertWith({
      msgType: 'Update',
      references: 'pref06@alerte.example,nice-1,2026-07-14T22:00:00+02:00',
    }),
    'references',
  ],
  [
    'a reference to the future',
    alertWith({ msgType: 'Update', references: 'a,b,2026-07-14T23:00:00+02:00' }),
    'references',
  ],
  ['P3: expires in the past', at({ expires: '2026-07-14T22:31:07+02:00' }), 'info[0].expires'],
  [
    'P3: expires more than a day after sent',
    at({ expires: '2026-07-15T22:31:08+02:00' }),
    'info[0].expires',
  ],
  ['expires within the minute', at({ expires: '2026-07-14T22:32:06+02:00' }), 'info[0].expires'],
  ['a start in an hour', at({ effective: '2026-07-14T23:31:07+02:00' }), 'info[0].effective'],
  ['language with an underscore', at({ language: 'fr_FR' }), 'info[0].language'],
  ['no instruction', alertWith({ info: [withoutInstruction()] }), 'info[0].instruction'],
  ['http link', at({ web: 'http://example.org/' }), 'info[0].web'],
  ['no area', at({ area: [] }), 'info[0].area'],
  [
    'P7: an area that is only words',
    at({ area: [{ areaDesc: 'Nice' }] }),
    'info[0].area[0].geocode',
  ],
  [
    'P7: a code of another list',
    at({ area: [{ areaDesc: 'Nice', geocode: [{ valueName: 'SAME', value: '06088' }] }] }),
    'info[0].area[0].geocode[0]',
  ],
  [
    'P7: a department where a commune is named',
    at({ area: [{ areaDesc: 'x', geocode: [{ valueName: 'INSEE:COM', value: '06' }] }] }),
    'info[0].area[0].geocode[0]',
  ],
  [
    'a geocode that is a text',
    at({ area: [{ areaDesc: 'x', geocode: ['06088'] }] }),
    'info[0].area[0].geocode[0]',
  ],
  [
    'a geocode without value',
    at({ area: [{ areaDesc: 'x', geocode: [{ valueName: 'INSEE:COM' }] }] }),
    'info[0].area[0].geocode[0].value',
  ],
  ['an area that is a text', at({ area: ['Nice'] }), 'info[0].area[0]'],
  ['an info that is null', alertWith({ info: [null] }), 'info[0]'],
  ['P6: Actual to the reserved area', at({ area: sampleTest().info[0]?.area }), 'info'],
  ['P6: Actual with scope Private', alertWith({ scope: 'Private' }), 'scope'],
  ['P6: Actual with addresses', alertWith({ addresses: 'somebody' }), 'addresses'],
  [
    'P6: Test to the public area',
    { ...sampleTest(), info: [sampleInfo({ expires: '2026-07-14T22:33:07+02:00' })] },
    'info',
  ],
  ['P6: Test with scope Public', { ...sampleTest(), scope: 'Public' }, 'scope'],
  [
    'a Test that lives for an hour',
    { ...sampleTest(), info: [{ ...sampleTest().info[0], expires: '2026-07-14T23:31:07+02:00' }] },
    'info[0].expires',
  ],
  ['an exercise that does not say so', alertWith({ status: 'Exercise' }), 'info[0].headline'],
])('%s is refused, and the field is named', (_what, input, field) => {
  expect(fieldsOf(input)).toContain(field);
});

test('languages may not repeat, and all name the same areas', () => {
  const paris = [{ areaDesc: 'Paris', geocode: [{ valueName: 'INSEE:COM', value: '75056' }] }];
  expect(fieldsOf({ ...sampleAlert(), info: [sampleInfo(), sampleInfo()] })).toEqual([
    'info[1].language',
  ]);
  expect(
    fieldsOf({
      ...sampleAlert(),
      info: [sampleInfo(), sampleInfo({ language: 'en-GB', area: paris })],
    }),
  ).toEqual(['info[1].area']);
});

test('everything that is wrong is said at once, shape and rules together, each field once', () => {
  const wrong = {
    ...sampleAlert(),
    sent: 'yesterday',
    status: 'Actual',
    scope: 'Private',
    msgType: 'Update',
    extra: 1,
    info: [
      {
        ...sampleInfo(),
        expires: '2026-07-14T20:00:00+02:00',
        instruction: undefined,
        hedline: 'x',
        severity: 'High',
      },
      { ...sampleInfo(), language: 'fr-FR', area: ['Nice', { areaDesc: 'Nice' }] },
    ],
  };
  const fields = fieldsOf(wrong);
  expect([...fields].sort()).toEqual(
    [
      'sent',
      'scope',
      'references',
      'extra',
      'info[0].severity',
      'info[0].hedline',
      'info[0].expires',
      'info[0].instruction',
      'info[1].area',
      'info[1].area[0]',
      'info[1].area[1].geocode',
      'info[1].language',
    ].sort(),
  );
  expect(new Set(fields).size).toBe(fields.length);
});

test('an instant of the wrong shape has one message, not three', () => {
  expect(fieldsOf(alertWith({ sent: 'x' }))).toEqual(['sent']);
});

test('an input is never changed by its check', () => {
  const wrong = { ...sampleAlert(), status: 'Real', info: [{ ...sampleInfo(), severity: 'High' }] };
  const before = structuredClone(wrong);
  checkAlert(wrong, NOW);
  expect(wrong).toEqual(before);
});
