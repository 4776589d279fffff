import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isRefused } from '../../../shared/receipt/credential.ts';
import type { Outcome } from '../transports/transport.ts';
import { PushKeys } from './push-keys.ts';

const START = Date.parse('2026-07-14T20:31:00Z');
const ACCEPTED: Outcome = { kind: 'accepted' };
const REFUSED: Outcome = { kind: 'unavailable', reason: 'auth', retryAfterMs: 60_000 };
const MOZILLA = 'https://updates.push.services.mozilla.com/wpush/v2/x';
const OWN = 'https://push.alerte.example/x';

let nowMs: number;
let keys: PushKeys;
beforeEach(() => {
  nowMs = START;
  keys = new PushKeys('a', () => nowMs);
});
afterEach(() => keys.close());

const pass = (seconds: number) => {
  for (let i = 0; i < seconds; i += 5) {
    nowMs += 5_000;
    keys.tick();
  }
};
const stateOf = (name: string) => keys.states().find((state) => state.name === name);
const refused = (name: string) => {
  const state = stateOf(name);
  return state && isRefused(state);
};

test('a key that was never used was neither proved nor refused', () => {
  expect(keys.states()).toEqual([
    { name: 'fcm-service-account', kind: 'push-key', where: 'dispatcher a' },
  ]);
});

test('the last acceptance is never said to be younger than it is, and at most five seconds older', () => {
  pass(60);
  nowMs += 4_000;
  keys.ended(ACCEPTED);
  nowMs += 1_000;
  keys.tick();
  pass(30);
  expect(stateOf('fcm-service-account')?.lastProvedAt).toBe('2026-07-14T20:32:00.000Z');
});

test('each maker’s push services judge our VAPID key by themselves', () => {
  pass(60);
  keys.ended(ACCEPTED, MOZILLA);
  keys.ended(REFUSED, OWN);
  pass(5);
  expect(refused('vapid-mozilla')).toBe(false);
  expect(refused('vapid-own')).toBe(true);
  expect(refused('fcm-service-account')).toBe(false);
});

test('Google that gives no access token refuses the service account; a connection that fails does not', () => {
  keys.ended({ kind: 'unavailable', reason: 'connection', retryAfterMs: 1_000 });
  expect(refused('fcm-service-account')).toBe(false);
  keys.ended({ kind: 'unavailable', reason: 'no-token', retryAfterMs: 1_000 });
  expect(refused('fcm-service-account')).toBe(true);
});

test('P9: some devices whose subscriptions belong to an older key do not make the key refused', () => {
  for (let i = 0; i < 100; i++) {
    for (let n = 0; n < 1_000; n++) keys.ended(ACCEPTED, MOZILLA);
    keys.ended(REFUSED, MOZILLA);
    pass(5);
    if (i > 0) expect(refused('vapid-mozilla')).toBe(false);
  }
});

test('refused is over with the next acceptance', () => {
  keys.ended(ACCEPTED);
  pass(60);
  keys.ended(REFUSED);
  pass(600);
  expect(refused('fcm-service-account')).toBe(true);
  keys.ended(ACCEPTED);
  pass(5);
  expect(refused('fcm-service-account')).toBe(false);
});
