import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { jwtVerify } from 'jose';
import { systemClock } from '../../../../shared/time/clock.ts';
import { makeCertificate } from '../test-support/certificate.ts';
import { firebaseTokenSource } from './firebase-credential.ts';

const certificate = makeCertificate();
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(() => {
  // Google's library warns of an option that firebase-admin sets.
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function writeKeyFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-account-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const keyFile = join(folder, 'service-account.json');
  const account = {
    type: 'service_account',
    project_id: 'p-1',
    client_email: 'tocsin@p-1.iam.gserviceaccount.com',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
  writeFileSync(keyFile, JSON.stringify(account));
  return keyFile;
}

async function start(
  onRequest: (request: IncomingMessage, body: string, response: ServerResponse) => void,
) {
  const server = createServer(certificate, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.once('end', () => onRequest(request, body, response));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const oauthOrigin = `https://localhost:${(server.address() as AddressInfo).port}`;
  return firebaseTokenSource(
    { keyFile: writeKeyFile(), oauthOrigin, ca: certificate.cert },
    { clock: systemClock },
  );
}

test('firebase-admin asks the endpoint that we choose, and brings a new token at every call', async () => {
  const calls: { line: string; form: URLSearchParams }[] = [];
  const fetchToken = await start((request, body, response) => {
    calls.push({ line: `${request.method} ${request.url}`, form: new URLSearchParams(body) });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: `google-${calls.length}`, expires_in: 3599 }));
  });
  const first = await fetchToken();
  expect(first.value).toBe('google-1');
  expect(first.expiresAtMs - Date.now()).toBeGreaterThan(3_500_000);
  expect((await fetchToken()).value).toBe('google-2');
  expect(calls[0]?.line).toBe('POST /token');
  expect(calls[0]?.form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
  const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }));
  const { payload } = await jwtVerify(calls[0]?.form.get('assertion') ?? '', key);
  expect(payload).toMatchObject({
    iss: 'tocsin@p-1.iam.gserviceaccount.com',
    aud: 'https://oauth2.googleapis.com/token',
  });
  expect(payload['scope']).toContain('https://www.googleapis.com/auth/firebase.messaging');
});

test('an endpoint that refuses is an error that holds no key; the next call works', async () => {
  let up = false;
  const fetchToken = await start((_request, _body, response) => {
    response.setHeader('content-type', 'application/json');
    response.statusCode = up ? 200 : 400;
    response.end(
      JSON.stringify(up ? { access_token: 'good', expires_in: 3599 } : { error: 'invalid_grant' }),
    );
  });
  await expect(fetchToken()).rejects.toThrow(/invalid_grant/);
  up = true;
  expect((await fetchToken()).value).toBe('good');
});

test('P12: an endpoint that hangs is let go of, and a later call works', async () => {
  let hangs = true;
  const fetchToken = await start((_request, _body, response) => {
    if (hangs) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ access_token: 'good', expires_in: 3599 }));
  });
  const hanging = fetchToken();
  setTimeout(() => {
    hangs = false;
  }, 4_000);
  // Either the library tries again by itself after the cut, or it gives up and the next call works.
  const value = await hanging.catch(() => fetchToken()).then((token) => token.value);
  expect(value).toBe('good');
});
