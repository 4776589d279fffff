import { expect, test } from '@jest/globals';
import { readConfig } from './config.ts';

const peers = (...names: string[]) =>
  JSON.stringify(names.map((name) => ({ name, site: name, url: `http://127.0.0.1/${name}` })));

const ENV = {
  SITE: 'a',
  DATA_DIR: '/var/lib/tocsin',
  INGESTS: peers('a', 'b'),
  DISPATCHERS: peers('a', 'b'),
  CANARIES: peers('a', 'b'),
  EDGES: peers('a', 'b'),
  EDGE_URL: 'http://127.0.0.1/a',
  INTERNAL_TOKEN_FILE: 'token',
  CANARY_API_KEY_FILE: 'key',
  TRUSTED_KEYS_FILE: 'keys.json',
  VAPID_PUBLIC_KEY: 'B'.repeat(87),
};

test('defaults are those of the interface page; other canaries and edges come without repeats', () => {
  const config = readConfig(ENV);
  expect(config).toMatchObject({
    port: 8403,
    nodeName: 'a',
    sender: 'canary-a@alerte.example',
    periodMs: 60_000,
    limitMs: 10_000,
    storedPeriodMs: 300_000,
    refusingPeriodMs: 3_600_000,
    edgeUrls: ['http://127.0.0.1/a', 'http://127.0.0.1/b'],
  });
  expect(config.canaries.map(({ name }) => name)).toEqual(['b']);
});

test('everything that is wrong is named at once', () => {
  const wrong = { ...ENV, SITE: 'Not A Site', PERIOD_SECONDS: '0', VAPID_PUBLIC_KEY: 'short' };
  expect(() => readConfig(wrong)).toThrow(
    /SITE[\s\S]*VAPID_PUBLIC_KEY[\s\S]*PERIOD_SECONDS|PERIOD_SECONDS[\s\S]*VAPID_PUBLIC_KEY/,
  );
});

test('a canary without ingests, dispatchers or an edge has nothing to prove and does not start', () => {
  const { SITE, DATA_DIR, INTERNAL_TOKEN_FILE, CANARY_API_KEY_FILE, TRUSTED_KEYS_FILE } = ENV;
  const { VAPID_PUBLIC_KEY } = ENV;
  const bare = { SITE, DATA_DIR, INTERNAL_TOKEN_FILE, CANARY_API_KEY_FILE, TRUSTED_KEYS_FILE };
  expect(() => readConfig({ ...bare, VAPID_PUBLIC_KEY })).toThrow(
    /INGESTS[\s\S]*DISPATCHERS[\s\S]*EDGE_URL/,
  );
});
