import { expect, test } from '@jest/globals';
import webPush from 'web-push';
import { readEdgeConfig } from './config.ts';

const needed = {
  SITE: 'a',
  DATA_DIR: '/tmp/x',
  INTERNAL_TOKEN_FILE: '/tmp/token',
  TRUSTED_KEYS_FILE: '/tmp/keys',
  VAPID_PUBLIC_KEY: webPush.generateVAPIDKeys().publicKey,
};

test('the node’s name is its site’s unless it is named; production is what nobody chose', () => {
  expect(readEdgeConfig(needed)).toMatchObject({
    PORT: 8404,
    NODE_NAME: 'a',
    DEPLOYMENT: 'production',
    TRUSTED_PROXIES: [],
  });
  expect(readEdgeConfig({ ...needed, NODE_NAME: 'a-2' }).NODE_NAME).toBe('a-2');
});

test('everything that is wrong is named at once, without its value', () => {
  const wrong = {
    ...needed,
    SITE: 'Nice!',
    PORT: '99999',
    VAPID_PUBLIC_KEY: 'secret-looking',
    DATA_DIR: undefined,
  };
  expect(() => readEdgeConfig(wrong)).toThrow(
    /PORT[\s\S]*SITE[\s\S]*DATA_DIR[\s\S]*VAPID_PUBLIC_KEY/,
  );
  expect(() => readEdgeConfig(wrong)).not.toThrow(/secret-looking/);
});
