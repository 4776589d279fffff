import { expect, test } from '@jest/globals';
import { CapDateTime } from './alert.ts';
import { fillPlaceholders, formatCapDateTime } from './placeholders.ts';

const NOW = Date.parse('2026-07-14T20:31:07.912Z');
const FACTS = { nowMs: NOW, offsetMinutes: 120, random: 'k3x9' };

test.each([
  [0, '2026-07-14T20:31:07+00:00'],
  [120, '2026-07-14T22:31:07+02:00'],
  [-240, '2026-07-14T16:31:07-04:00'],
  [-570, '2026-07-14T11:01:07-09:30'],
  [660, '2026-07-15T07:31:07+11:00'],
])('an instant is written with the offset %i as CAP wants it', (offset, expected) => {
  const written = formatCapDateTime(NOW, offset);
  expect(written).toBe(expected);
  expect(CapDateTime.safeParse(written).success).toBe(true);
  expect(Math.floor(Date.parse(written) / 1000)).toBe(Math.floor(NOW / 1000));
});

test.each([
  ['now', '2026-07-14T22:31:07+02:00'],
  ['now+30m', '2026-07-14T23:01:07+02:00'],
  ['now+2h', '2026-07-15T00:31:07+02:00'],
  ['now+1d', '2026-07-15T22:31:07+02:00'],
  ['now-2h', 'now-2h'],
  ['tomorrow', 'tomorrow'],
  ['', ''],
])('in a field that holds an instant, "%s" becomes "%s"', (written, expected) => {
  expect(
    fillPlaceholders({ sent: written, info: [{ expires: written, onset: written }] }, FACTS),
  ).toEqual({
    sent: expected,
    info: [{ expires: expected, onset: expected }],
  });
});

test('the identifier is made from the sender and the moment, and only when the file asks for it', () => {
  expect(
    fillPlaceholders({ identifier: 'auto', sender: 'pref06@alerte.example' }, FACTS),
  ).toMatchObject({
    identifier: 'pref06-20260714T203107Z-k3x9',
  });
  expect(fillPlaceholders({ identifier: 'mine', sender: 'x' }, FACTS)).toMatchObject({
    identifier: 'mine',
  });
  expect(fillPlaceholders({ sender: 'x' }, FACTS)).toEqual({ sender: 'x' });
});

test('words that look like placeholders stay what they are in any other field', () => {
  const message = { note: 'now', info: [{ headline: 'now+2h', event: 'auto' }] };
  expect(fillPlaceholders(message, FACTS)).toEqual(message);
});

test.each([[null], [42], ['now'], [[1]], [{ info: 'now' }], [{ info: [null, 'now'] }]])(
  'what is no message passes through untouched: %j',
  (message) => {
    expect(fillPlaceholders(message, FACTS)).toEqual(message);
  },
);

test('the file that was read is not changed', () => {
  const message = { identifier: 'auto', sent: 'now', info: [{ expires: 'now' }] };
  fillPlaceholders(message, FACTS);
  expect(message).toEqual({ identifier: 'auto', sent: 'now', info: [{ expires: 'now' }] });
});
