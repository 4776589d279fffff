import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-config-'));
const file = (name: string) => {
  writeFileSync(join(folder, name), `${name}\n`);
  return join(folder, name);
};
const env = {
  DEPLOYMENT: 'development',
  DATA_DIR: folder,
  TLS_KEY_FILE: file('key'),
  TLS_CERT_FILE: file('cert'),
  SERVICE_ACCOUNT_PUBLIC_KEY_FILE: file('public'),
  SERVICE_ACCOUNT_EMAIL: 'sender@tocsin-test.iam.gserviceaccount.com',
  FCM_PROJECT_ID: 'tocsin-test',
};

test('files are read, ports have their defaults', () => {
  expect(readConfig(env)).toEqual({
    host: '127.0.0.1',
    httpsPort: 8491,
    wsPort: 8492,
    controlPort: 8493,
    mcsPort: 8489,
    unifiedPushPort: 8490,
    dataDir: folder,
    tls: { keyPem: 'key', certPem: 'cert' },
    serviceAccount: { email: env.SERVICE_ACCOUNT_EMAIL, publicKeyPem: 'public' },
    fcmProjectId: 'tocsin-test',
    fcmSenderId: '100000000001',
  });
});

test('the sandbox never runs in production, which is what an absent DEPLOYMENT means', () => {
  for (const DEPLOYMENT of ['production', undefined])
    expect(() => readConfig({ ...env, DEPLOYMENT })).toThrow(/DEPLOYMENT: must be development/);
});

test('every wrong setting is named at once', () => {
  expect(() => readConfig({ DEPLOYMENT: 'development', HTTPS_PORT: 'x' })).toThrow(
    /HTTPS_PORT.*DATA_DIR.*TLS_KEY_FILE.*FCM_PROJECT_ID/s,
  );
});
