import { expect, test } from '@jest/globals';
import { CredentialState } from '../../../shared/receipt/credential.ts';
import {
  EXPIRED_KEY,
  makeApiKeys,
  PREFECTURE_KEY,
} from '../../../tests/support/ingest-fixtures.ts';
import { authenticate } from '../keys/authenticate.ts';
import { createKeyStates } from './key-states.ts';

const NOW = Date.parse('2026-07-14T20:31:07Z');
const expiresAt = '2026-08-01T02:00:00+02:00';

test('a key with an end is told of by its id, with the day that authenticate() holds it to; one without is not', () => {
  const keys = makeApiKeys().map((key) => (key.id === 'pref06' ? { ...key, expiresAt } : key));
  const states = createKeyStates(keys, 'a', () => NOW);
  states.used('pref06');
  const [known, ...others] = states.states();
  expect(known).toEqual({
    name: 'api-key-pref06',
    kind: 'api-key',
    where: 'ingest a',
    expiresAt: '2026-08-01T00:00:00.000Z',
    lastProvedAt: '2026-07-14T20:31:07.000Z',
  });
  expect(others).toHaveLength(1);
  const end = Date.parse(known?.expiresAt ?? '');
  expect(authenticate(PREFECTURE_KEY, keys, end - 1).kind).toBe('known');
  expect(authenticate(PREFECTURE_KEY, keys, end).kind).toBe('expired');
  expect(authenticate(EXPIRED_KEY, keys, NOW).kind).toBe('expired');
});

test('P12: whatever an operator calls a key, its name is a label', () => {
  const [key] = makeApiKeys();
  if (!key) throw new Error('no key');
  const odd = { ...key, id: 'Préfecture “06” \n', expiresAt };
  const [state] = createKeyStates([odd], 'a', () => NOW).states();
  expect(CredentialState.parse(state).name).toBe('api-key-Pr-fecture--06---');
});
