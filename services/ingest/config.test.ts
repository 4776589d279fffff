import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { makeApiKeys, makeKeys, makeSigningKey } from '../../tests/support/ingest-fixtures.ts';
import { readIngestConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'ingest-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const { signingKeys, trustedKeys } = makeKeys();
const env = {
  SITE: 'a',
  DATA_DIR: folder,
  INTERNAL_TOKEN_FILE: file('token', 'secret\n'),
  API_KEYS_FILE: file('api-keys', { keys: makeApiKeys() }),
  PUBLIC_SIGNING_KEY_FILE: file('public', signingKeys.public),
  CANARY_SIGNING_KEY_FILE: file('canary', signingKeys.canary),
  TRUSTED_KEYS_FILE: file('trusted', trustedKeys),
};

test('settings have their defaults, secrets are read', () => {
  expect(readIngestConfig(env)).toMatchObject({
    host: '127.0.0.1',
    port: 8401,
    node: 'a',
    internalToken: 'secret',
    development: false,
  });
});

test.each<[string, Record<string, string>, RegExp]>([
  [
    'is missing',
    { PUBLIC_SIGNING_KEY_FILE: join(folder, 'none') },
    /PUBLIC_SIGNING_KEY_FILE: cannot read/,
  ],
  [
    'is not a key',
    { CANARY_SIGNING_KEY_FILE: file('broken', '{') },
    /CANARY_SIGNING_KEY_FILE: .* is not JSON/,
  ],
  [
    'is the other audience’s',
    { PUBLIC_SIGNING_KEY_FILE: env.CANARY_SIGNING_KEY_FILE },
    /signs for "canary", not "public"/,
  ],
  [
    'is not trusted by devices',
    { PUBLIC_SIGNING_KEY_FILE: file('foreign', makeSigningKey('public')) },
    /every device would refuse/,
  ],
])('P8: a signing key that %s keeps the service from starting', (_what, changes, message) => {
  expect(() => readIngestConfig({ ...env, ...changes })).toThrow(message);
});

test('everything that is wrong stands in one message, and no secret does', () => {
  const wrong = {
    ...env,
    INTERNAL_TOKEN_FILE: join(folder, 'none'),
    API_KEYS_FILE: file('no-keys', { keys: [] }),
  };
  expect(() => readIngestConfig(wrong)).toThrow(/INTERNAL_TOKEN_FILE[\s\S]*API_KEYS_FILE/);
  expect(() => readIngestConfig({ ...wrong, SITE: 'Not A Name', PORT: 'x' })).toThrow(
    /PORT[\s\S]*SITE/,
  );
});
