import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { KeySet, SigningKey } from '../../shared/envelope/key-set.ts';
import { createSigner } from '../../shared/envelope/signature.ts';
import { filesOf, layoutOf } from './layout.ts';
import { serviceEnv } from './service-env.ts';
import { prepareState, vapidPublicKey } from './state.ts';

let stateDir: string;
const now = Date.parse('2026-07-14T20:00:00Z');
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const prepare = (sites: number, portBase = 8400) =>
  prepareState(layoutOf({ sites, portBase, stateDir }), now);

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'tocsin-state-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

test('each site gets a signing key per audience, and all are trusted for their audience alone', async () => {
  prepare(2);
  const { keys } = KeySet.parse(json(filesOf(stateDir).trustedKeys));
  expect(keys.map(({ kid, audience }) => `${kid}:${audience}`)).toEqual([
    'a-canary-1:canary',
    'a-public-1:public',
    'b-canary-1:canary',
    'b-public-1:public',
  ]);
  const key = SigningKey.parse(json(filesOf(stateDir).signingKey('a', 'public')));
  const sign = await createSigner(key, 'alert');
  expect((await sign('x')).split('.')).toHaveLength(3);
});

test('a second start keeps every secret, and a third site is added to what is there', () => {
  prepare(2);
  const files = filesOf(stateDir);
  const kept = [
    files.internalToken,
    files.vapid,
    files.signingKey('a', 'public'),
    files.caCert,
    files.tlsCert,
  ];
  const before = kept.map((path) => readFileSync(path, 'utf8'));
  const accountBefore = json(files.serviceAccount);
  prepare(3, 9000);
  expect(kept.map((path) => readFileSync(path, 'utf8'))).toEqual(before);
  expect(KeySet.parse(json(files.trustedKeys)).keys).toHaveLength(6);
  expect(json(files.serviceAccount)).toEqual({
    ...accountBefore,
    token_uri: 'https://localhost:9091/token',
  });
});

test('files with secrets are for their owner only', () => {
  prepare(1);
  const files = filesOf(stateDir);
  const secrets = [
    files.internalToken,
    files.vapid,
    files.serviceAccount,
    files.caKey,
    files.tlsKey,
    files.apiKey('pref06'),
    files.apiKey('drill'),
    files.natsPassword('a', 'ingest'),
    files.natsConfig('a'),
    files.signingKey('a', 'public'),
  ];
  for (const path of secrets) expect(statSync(path).mode & 0o077).toBe(0);
});

test('the key file holds hashes of the clear keys; an entry that somebody added stays', () => {
  prepare(1);
  const files = filesOf(stateDir);
  const clear = readFileSync(files.apiKey('pref06'), 'utf8').trim();
  expect(clear).toMatch(/^tocsin_[A-Za-z0-9_-]{43}$/);
  const { keys } = json(files.apiKeys);
  expect(keys[0]).toMatchObject({
    id: 'pref06',
    territory: ['06'],
    hash: createHash('sha256').update(clear).digest('hex'),
  });
  expect(keys[1]).toMatchObject({ id: 'canary-a', territory: ['ZZ999'], statuses: ['Test'] });
  writeFileSync(
    files.apiKeys,
    JSON.stringify({ keys: [...keys, { ...keys[0], id: 'pref83', hash: 'ab' }] }),
  );
  prepare(2);
  expect(json(files.apiKeys).keys.map(({ id }: { id: string }) => id)).toEqual([
    'pref06',
    'canary-a',
    'canary-b',
    'drill',
    'pref83',
  ]);
});

test('P6: the canary gets no signing key, and only dispatchers get the credentials of the providers', () => {
  prepare(2);
  const layout = layoutOf({ sites: 2, portBase: 8400, stateDir });
  const [site] = layout.sites;
  if (site === undefined) throw new Error('no site');
  const options = { layout, vapidPublicKey: vapidPublicKey(stateDir) };
  const has = (variable: string) =>
    (['ingest', 'dispatcher', 'edge', 'canary'] as const).filter(
      (kind) => variable in serviceEnv(kind, site, options),
    );
  expect(has('PUBLIC_SIGNING_KEY_FILE')).toEqual(['ingest']);
  expect(has('CANARY_SIGNING_KEY_FILE')).toEqual(['ingest']);
  expect(has('FCM_CREDENTIALS_FILE')).toEqual(['dispatcher']);
  expect(has('VAPID_KEYS_FILE')).toEqual(['dispatcher']);
  expect(JSON.parse(serviceEnv('edge', site, options)['NATS_SITES'] ?? '')).toEqual([
    {
      site: 'a',
      url: 'nats://127.0.0.1:8405',
      monitorUrl: 'http://127.0.0.1:8406',
      user: 'edge',
      passwordFile: join(stateDir, 'secrets/nats-a-edge'),
    },
    expect.objectContaining({ site: 'b', url: 'nats://127.0.0.1:8415' }),
  ]);
});
