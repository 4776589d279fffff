import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '../../../../shared/log/logger.ts';
import { startTestSandbox, type TestSandbox } from '../../../../tests/support/sandbox-tls.ts';
import { createProviderSender, type ProviderSender } from '../../test-support/provider-sender.ts';
import type { Probe } from '../probe.ts';
import { startFcmMcsProbe } from './fcm-mcs-probe.ts';
import type { FcmServers } from './fcm-probe-config.ts';
import { MCS_CLIENT_TIMINGS, type McsTimings } from './mcs-client.ts';
import { readRegistration } from './register-device.ts';

const log = createLogger('canary', 'test', 'silent');
let folder: string;
let sandbox: TestSandbox;
let sender: ProviderSender;
const probes: Probe[] = [];
const received: unknown[] = [];
let logins: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-mcs-'));
  sandbox = await startTestSandbox();
  sender = await createProviderSender(sandbox);
  logins = 0;
});
afterEach(async () => {
  for (const probe of probes.splice(0)) await probe.close();
  received.splice(0);
  sender.close();
  await sandbox.destroy();
  rmSync(folder, { recursive: true, force: true });
});

function start(
  changes: Partial<FcmServers> = {},
  options: { readonly timings?: McsTimings } = {},
): Probe {
  const probe = startFcmMcsProbe(
    {
      name: 'a-fcm',
      servers: {
        checkInUrl: `${sandbox.origin}/checkin`,
        registerUrl: `${sandbox.origin}/c2dm/register3`,
        installationsOrigin: sandbox.origin,
        mcs: { host: 'localhost', port: sandbox.mcsPort },
        ...changes,
      },
      app: {
        projectId: sandbox.config.fcmProjectId,
        senderId: sandbox.config.fcmSenderId,
        appId: '1:1:android:1',
        apiKey: 'any',
        packageName: 'org.tocsin.probe',
        certificateSha1: undefined,
      },
      dataDir: folder,
      timings: { ...MCS_CLIENT_TIMINGS, silenceMs: 100, answerMs: 100 },
      pauses: { firstMs: 10, maxMs: 100 },
      ca: sandbox.caPem,
      ...options,
    },
    {
      log,
      random: Math.random,
      onPayload: async (_probe, payload) => {
        received.push(payload);
        if ((payload as { alert: string }).alert === 'poison') throw new Error('a bug of ours');
      },
      onUndecryptable: () => undefined,
      onSubscription: () => {
        logins++;
      },
    },
  );
  probes.push(probe);
  return probe;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const send = async (probe: Probe, alert: string) => {
  const subscription = probe.subscription();
  if (!subscription) throw new Error('no address yet');
  expect((await sender.send(subscription, { alert, via: 'a' })).status).toBe(200);
};
const tokenOf = (probe: Probe) => {
  const address = probe.subscription()?.address;
  return address?.transport === 'fcm' ? address.token : undefined;
};
const stop = async (probe: Probe) => {
  probes.splice(probes.indexOf(probe), 1);
  await probe.close();
};

test('it becomes a device, gets an address, and takes what is sent there', async () => {
  const probe = start();
  await until('connected', probe.connected);
  expect(probe.subscription()).toMatchObject({ areaCodes: ['ZZ999'] });
  await send(probe, 'first');
  await until('received', () => received.length === 1);
  expect(received).toEqual([{ alert: 'first', via: 'a' }]);
});

test('after a restart it is the same device at the same address, and gets what came meanwhile, once', async () => {
  const before = start();
  await until('connected', before.connected);
  const token = tokenOf(before);
  await send(before, 'one');
  await until('received', () => received.length === 1);
  await stop(before);
  await send(before, 'two');
  const after = start();
  await until('received', () => received.length > 1);
  await send(after, 'three');
  await until('all received', () => received.length > 2);
  expect(received.map((each) => (each as { alert: string }).alert)).toEqual([
    'one',
    'two',
    'three',
  ]);
  expect([after.deviceId, tokenOf(after)]).toEqual([before.deviceId, token]);
});

test('it comes back by itself when the server does', async () => {
  const probe = start();
  await until('connected', probe.connected);
  const token = tokenOf(probe);
  await sandbox.close();
  await until('not connected', () => !probe.connected());
  sandbox = await startTestSandbox(sandbox);
  sender.close();
  sender = await createProviderSender(sandbox);
  await until('connected again', probe.connected);
  await send(probe, 'again');
  await until('received', () => received.length === 1);
  expect(tokenOf(probe)).toBe(token);
});

test('who is registered needs no check-in to receive: one that is down says nothing of the stream', async () => {
  const before = start();
  await until('connected', before.connected);
  await stop(before);
  const after = start({ checkInUrl: 'https://localhost:1/checkin' });
  await until('connected', after.connected);
  await send(after, 'without');
  await until('received', () => received.length === 1);
});

test('a renewed address is another one, of another device', async () => {
  const probe = start();
  await until('connected', probe.connected);
  const token = tokenOf(probe);
  probe.renew();
  await until('a new address', () => ![undefined, token].includes(tokenOf(probe)));
  await until('connected', probe.connected);
  await send(probe, 'renewed');
  await until('received', () => received.length === 1);
});

test('a message that cannot be handled comes once, and holds up nothing behind it', async () => {
  const probe = start();
  await until('connected', probe.connected);
  await send(probe, 'poison');
  await send(probe, 'behind');
  await until('received', () => received.length === 2);
  await until('connected', probe.connected);
  await send(probe, 'later');
  await until('received', () => received.length === 3);
  const alerts = received.map((each) => (each as { alert: string }).alert);
  expect(alerts).toEqual(['poison', 'behind', 'later']);
});

test('heartbeats keep a silent link, and a server that does not answer them is left', async () => {
  const probe = start({}, { timings: { ...MCS_CLIENT_TIMINGS, silenceMs: 100, answerMs: 500 } });
  await until('connected', probe.connected);
  // Twice as long as a link without them lives; it would have been opened again by then.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect([probe.connected(), logins]).toEqual([true, 1]);
  await stop(probe);
  const sockets = new Set<Socket>();
  const { keyPem, certPem } = sandbox.config.tls;
  const silent = createServer({ key: keyPem, cert: certPem }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const other = start({ mcs: { host: 'localhost', port } });
  await until('left and tried again', () => sockets.size > 1);
  expect(other.connected()).toBe(false);
  await stop(other);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

test.each([
  ['is from an authority that is not trusted', '127.0.0.1', 'localhost', true],
  ['names another host', '127.0.0.2', '127.0.0.2', false],
])('P8: a server whose certificate %s gets no login', async (_what, listenOn, host, isStranger) => {
  const stranger = isStranger ? await startTestSandbox() : undefined;
  await stranger?.destroy();
  const heard: Buffer[] = [];
  let tries = 0;
  const { keyPem, certPem } = (stranger ?? sandbox).config.tls;
  const server = createServer({ key: keyPem, cert: certPem }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
  });
  server.on('connection', () => tries++);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, listenOn, resolve));
  const { port } = server.address() as { port: number };
  const probe = start({ mcs: { host, port } });
  await until('tried twice', () => tries > 1);
  expect([probe.connected(), heard]).toEqual([false, []]);
  await stop(probe);
  await new Promise((resolve) => server.close(resolve));
});

test('P8: an identity is not asked of a server whose certificate is not trusted', async () => {
  const stranger = await startTestSandbox();
  await stranger.destroy();
  let tries = 0;
  let asked = 0;
  const { keyPem, certPem } = stranger.config.tls;
  const server = createHttpsServer({ key: keyPem, cert: certPem }, (_request, response) => {
    asked++;
    response.end();
  });
  server.on('connection', () => tries++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const probe = start({ checkInUrl: `https://localhost:${port}/checkin` });
  await until('tried twice', () => tries > 1);
  expect([probe.subscription(), asked]).toEqual([undefined, 0]);
  await stop(probe);
  await new Promise((resolve) => server.close(resolve));
});

test('it remembers who it is and what it has taken, for itself alone', async () => {
  const probe = start();
  await until('connected', probe.connected);
  await send(probe, 'kept');
  await until('received', () => received.length === 1);
  const kept = () => JSON.parse(readFileSync(join(folder, 'probe-fcm.json'), 'utf8'));
  await until('remembered', () => kept().receivedIds.length === 1);
  expect(statSync(join(folder, 'probe-fcm.json')).mode & 0o077).toBe(0);
  expect(kept()).toMatchObject({
    deviceId: probe.deviceId,
    identity: { androidId: expect.any(String) },
  });
});

test.each([
  ['a token', 200, 'token=abc:APA91b0123456789_-x\n', { token: 'abc:APA91b0123456789_-x' }],
  ['a refused identity', 401, 'Unauthorized', 'identity-refused'],
  ['the same in words', 200, 'Error=AUTHENTICATION_FAILED', 'identity-refused'],
])('the registration’s answer: %s', (_name, status, body, expected) => {
  expect(readRegistration({ status, body: Buffer.from(body) })).toEqual(expected);
});

test.each([
  ['an error in words', 200, 'Error=PHONE_REGISTRATION_ERROR', 'PHONE_REGISTRATION_ERROR'],
  ['a token with what no token has', 200, 'token=<html>', 'refused: 200'],
  ['no answer at all', 503, '', '503'],
])('the registration’s answer: %s is an error', (_name, status, body, word) => {
  expect(() => readRegistration({ status, body: Buffer.from(body) })).toThrow(word);
});
