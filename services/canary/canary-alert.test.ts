import { expect, test } from '@jest/globals';
import { checkAlert } from '../../shared/alert/check-alert.ts';
import { CanaryPath } from '../../shared/envelope/envelope.ts';
import { canaryAlert } from './canary-alert.ts';

const NOW = Date.UTC(2026, 6, 14, 20, 31, 7, 999);
const alert = canaryAlert({
  path: {
    ingest: 'n'.repeat(16),
    lane: 'direct',
    dispatcher: 'd'.repeat(16),
    transport: 'web-push',
  },
  nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
  sender: 'canary-a@alerte.example',
  identifier: 'canary-a-1-abcdef',
  addresses: ['B'.repeat(22), 'C'.repeat(22)],
  nowMs: NOW,
});

test('P6: a canary passes all the rules that every alert passes, as a private test in the reserved area', () => {
  expect(checkAlert(alert, NOW)).toEqual({ ok: true, alert });
  expect(alert).toMatchObject({ status: 'Test', scope: 'Private' });
});

test('its words are harmless and say that it is a test', () => {
  expect(alert.info[0]?.headline).toBe('ESSAI technique, aucun danger');
});

test('it names its path in a form that can be read back', () => {
  const [ingest, lane, dispatcher, transport] =
    alert.code?.[0]?.replace('tocsin-path:', '').split(':') ?? [];
  expect(CanaryPath.safeParse({ ingest, lane, dispatcher, transport }).success).toBe(true);
});
