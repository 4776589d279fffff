import { expect, test } from '@jest/globals';
import type { Alert } from '../../../shared/alert/alert.ts';
import { Envelope } from '../../../shared/envelope/envelope.ts';
import {
  capInstant,
  createSigningKey,
  signedEnvelope,
  testAlert,
} from '../../../tests/support/signed-alerts.ts';
import { nextExpiryMs, shownAlerts } from './alert-state.ts';

const key = createSigningKey('public');
const NOW = Date.parse('2026-07-14T20:30:00Z');

async function envelope(alert: Alert): Promise<Envelope> {
  const { jws } = await signedEnvelope(alert, key);
  return Envelope.parse(JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()));
}

const alertAt = (identifier: string, minutes: number, more: object = {}) =>
  testAlert({ identifier, sentMs: NOW + minutes * 60_000, ...more });

test('newest first; each is active until its time is over', async () => {
  const old = await envelope(alertAt('old', -90));
  const young = await envelope(alertAt('young', -10));
  expect(shownAlerts([old, young], NOW).map(({ state }) => state)).toEqual(['active', 'expired']);
  expect(nextExpiryMs([old, young], NOW)).toBe(NOW + 50 * 60_000);
  expect(young.expiresAt.slice(0, 19)).toBe(capInstant(NOW + 50 * 60_000).slice(0, 19));
  expect(nextExpiryMs([old], NOW)).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  ['Cancel', 'cancelled'],
  ['Update', 'replaced'],
] as const)('a %s marks its alert as %s, whichever came first', async (msgType, state) => {
  const alert = alertAt('a', -10);
  const first = await envelope(alert);
  const second = await envelope(alertAt('b', -5, { msgType, references: [alert] }));
  for (const arrived of [
    [first, second],
    [second, first],
  ])
    expect(shownAlerts(arrived, NOW).map((each) => each.state)).toEqual(['active', state]);
});

test('what was cancelled stays cancelled: an Update of it does not bring it back', async () => {
  const alert = alertAt('a', -10);
  const all = await Promise.all([
    envelope(alert),
    envelope(alertAt('u', -8, { msgType: 'Update', references: [alert] })),
    envelope(alertAt('c', -5, { msgType: 'Cancel', references: [alert] })),
  ]);
  expect(shownAlerts(all, NOW).at(-1)?.state).toBe('cancelled');
  expect(shownAlerts(all.reverse(), NOW).at(-1)?.state).toBe('cancelled');
});
