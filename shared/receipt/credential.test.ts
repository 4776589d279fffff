import { expect, test } from '@jest/globals';
import { byEnd, CredentialReport, type CredentialState, isRefused } from './credential.ts';

const NOW = Date.parse('2026-07-14T20:31:07Z');
const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString();
const state = (changes: Partial<CredentialState>): CredentialState => ({
  name: 'vapid-mozilla',
  kind: 'push-key',
  where: 'dispatcher a',
  ...changes,
});

test.each<[string, Partial<CredentialState>, boolean]>([
  ['never tried', {}, false],
  ['accepted only', { lastProvedAt: at(5) }, false],
  ['refused only', { lastRefusedAt: at(5) }, true],
  ['refused long after it was accepted', { lastProvedAt: at(60), lastRefusedAt: at(5) }, true],
  ['refused once among many', { lastProvedAt: at(7), lastRefusedAt: at(5) }, false],
  ['accepted again', { lastProvedAt: at(1), lastRefusedAt: at(300) }, false],
])('a credential that was %s', (_what, changes, refused) => {
  expect(isRefused(state(changes))).toBe(refused);
});

test('what ends first stands first, what has no end last', () => {
  const none = state({ name: 'a' });
  const soon = state({ name: 'z', expiresAt: at(-60) });
  const later = state({ name: 'b', expiresAt: at(-600) });
  expect(byEnd([none, later, soon])).toEqual([soon, later, none]);
});

test('P12: a report has no room for a secret’s shape, nor for names that a label should not have', () => {
  const report = (credential: object) =>
    CredentialReport.safeParse({ v: 1, node: 'a', credentials: [credential] }).success;
  expect(report(state({}))).toBe(true);
  expect(report(state({ name: 'tls-push mozilla' }))).toBe(false);
  expect(report({ ...state({}), key: 'secret' })).toBe(false);
});
