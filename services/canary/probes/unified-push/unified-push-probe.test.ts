import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import webPush from 'web-push';
import { createLogger } from '../../../../shared/log/logger.ts';
import type { WebPushAddress } from '../../../../shared/subscription/subscription.ts';
import { startTestSandbox, type TestSandbox } from '../../../../tests/support/sandbox-tls.ts';
import type { Probe } from '../probe.ts';
import { startUnifiedPushProbe } from './unified-push-probe.ts';

let folder: string;
let sandbox: TestSandbox;
let probe: Probe;
let got: unknown[];
let undecryptable: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-unified-'));
  sandbox = await startTestSandbox();
  got = [];
  undecryptable = 0;
  probe = start();
});

afterEach(async () => {
  await probe.close();
  await sandbox.destroy();
  rmSync(folder, { recursive: true, force: true });
});

const start = (url = sandbox.unifiedPushOrigin, trusted = true) =>
  startUnifiedPushProbe(
    { name: 'a-unified-push', url, dataDir: folder, ca: trusted ? sandbox.caPem : undefined },
    {
      log: createLogger('canary', 'a', 'silent'),
      random: Math.random,
      onPayload: async (_probe, payload) => {
        got.push(payload);
      },
      onUndecryptable: () => {
        undecryptable++;
      },
      onSubscription: () => undefined,
    },
  );

function address(of = probe): WebPushAddress {
  const found = of.subscription()?.address;
  if (found?.transport !== 'web-push') throw new Error('it has a Web Push address');
  return found;
}

function post(body: Buffer, to = address()): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-encoding': 'aes128gcm', ttl: '60' };
    const sent = request(to.endpoint, { method: 'POST', ca: sandbox.caPem, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function encrypted(payload: unknown, to = address()): Buffer {
  const { p256dh, auth } = to.keys;
  return webPush.encrypt(p256dh, auth, JSON.stringify(payload), 'aes128gcm').cipherText;
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('it has an endpoint that nobody can guess, and gets what is posted there, decrypted', async () => {
  await until(() => probe.connected());
  expect(address().endpoint).toMatch(
    new RegExp(`^${sandbox.unifiedPushOrigin}/up[A-Za-z0-9]{12}\\?up=1$`),
  );
  expect(await post(encrypted({ hello: 1 }))).toBe(200);
  await until(() => got.length === 1);
  expect(got).toEqual([{ hello: 1 }]);
});

test('P8: what was not encrypted for it is counted and goes no further', async () => {
  await until(() => probe.connected());
  await post(Buffer.from('{"alert":"x"}'));
  await post(Buffer.from([0xff, 0xfe, 0xfd]));
  await until(() => undecryptable === 2);
  expect(got).toEqual([]);
});

test('what came while the link was gone is found afterwards, in order and once', async () => {
  await until(() => probe.connected());
  await post(encrypted({ n: 1 }));
  await until(() => got.length === 1);
  probe.renew();
  await until(() => !probe.connected());
  await post(encrypted({ n: 2 }));
  await post(encrypted({ n: 3 }));
  await until(() => got.length === 3);
  expect(got).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('a restart keeps device, keys and endpoint; another service gets a new topic', async () => {
  const before = probe.subscription();
  await probe.close();
  probe = start();
  expect(probe.subscription()).toEqual(before);
  await until(() => probe.connected());
  await probe.close();
  probe = start('https://push.example');
  expect(probe.subscription()?.deviceId).toBe(before?.deviceId);
  expect(address().endpoint).toMatch(/^https:\/\/push\.example\/up/);
  expect(new URL(address().endpoint).pathname).not.toBe(
    new URL(before?.address.transport === 'web-push' ? before.address.endpoint : 'x:').pathname,
  );
});

test('P8: a service whose certificate nobody vouches for is not listened to', async () => {
  await probe.close();
  let tries = 0;
  let asked = 0;
  const { keyPem, certPem } = sandbox.config.tls;
  const server = createServer({ key: keyPem, cert: certPem });
  server.on('connection', () => tries++);
  server.on('upgrade', (_request, socket) => {
    asked++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  probe = start(`https://localhost:${port}`, false);
  await until(() => tries > 1);
  expect([probe.connected(), asked]).toEqual([false, 0]);
  await probe.close();
  await new Promise((resolve) => server.close(resolve));
});
