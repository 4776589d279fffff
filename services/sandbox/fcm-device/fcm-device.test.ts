import { afterAll, beforeAll, expect, test } from '@jest/globals';
import webPush from 'web-push';
import type { DeviceIdentity } from '../../../shared/mcs/check-in.ts';
import { MCS_VERSION } from '../../../shared/mcs/frame-reader.ts';
import type { DataMessage, Stanza } from '../../../shared/mcs/stanzas.ts';
import {
  checkInDevice,
  connectMcs,
  installApp,
  logInMcs,
  type McsTestDevice,
  postAsDevice,
  registerDevice,
} from '../../../tests/support/mcs-device.ts';
import {
  connectFcmSender,
  connectProvider,
  type ProviderClient,
  vapidHeaders,
} from '../../../tests/support/sandbox-client.ts';
import { startTestSandbox, type TestSandbox } from '../../../tests/support/sandbox-tls.ts';

const SENDER = '100000000001';
const APP = 'org.tocsin.test';
const vapid = webPush.generateVAPIDKeys();

let sandbox: TestSandbox;
let client: ProviderClient;
let bearer: string;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  ({ client, bearer } = await connectFcmSender(sandbox));
});
afterAll(async () => {
  client.close();
  await sandbox.destroy();
});

const tokenIn = (line: string) => {
  expect(line).toMatch(/^token=[A-Za-z0-9:_-]{20,400}$/);
  return line.slice('token='.length);
};

async function newApp(sender = SENDER): Promise<{ identity: DeviceIdentity; token: string }> {
  const identity = await checkInDevice(sandbox);
  const installation = await installApp(sandbox);
  const line = await registerDevice(sandbox, identity, {
    app: APP,
    sender,
    'X-subtype': sender,
    'X-Goog-Firebase-Installations-Auth': installation,
  });
  return { identity, token: tokenIn(line) };
}

async function newBrowser() {
  const identity = await checkInDevice(sandbox);
  const form = { app: 'org.chromium.linux', 'X-subtype': 'wp:site#1', sender: vapid.publicKey };
  return { identity, form, token: tokenIn(await registerDevice(sandbox, identity, form)) };
}

const sendNative = (token: string, data: object, android: object = {}) =>
  client.post(
    `/v1/projects/${sandbox.config.fcmProjectId}/messages:send`,
    { authorization: bearer, 'content-type': 'application/json' },
    JSON.stringify({ message: { token, data, android: { ttl: '60s', ...android } } }),
  );

const sendWeb = (token: string, origin = 'https://jmt17.google.com', headers: object = {}) =>
  client.post(
    `/fcm/send/${token}`,
    { ...vapidHeaders(origin, vapid), ...headers },
    Buffer.from('encrypted'),
  );

const asData = (stanza: Stanza): DataMessage => {
  if (stanza.kind !== 'data') throw new Error(`not a push: ${stanza.kind}`);
  return stanza;
};
const idOf = ({ persistentId }: DataMessage) => persistentId ?? '';

async function loggedIn(identity: DeviceIdentity, receivedIds: readonly string[] = []) {
  const device = logInMcs(sandbox, identity, receivedIds);
  expect(await device.next()).toMatchObject({ kind: 'login-response', lastStreamId: 1 });
  return device;
}

/** A heartbeat's answer comes behind whatever was on its way. */
async function nothingElse(device: McsTestDevice): Promise<void> {
  device.say({ kind: 'heartbeat-ping' });
  expect(await device.next()).toMatchObject({ kind: 'heartbeat-ack' });
}

test('a device that is known stays who it is; one that is not, or lies about its secret, is a new one', async () => {
  const first = await checkInDevice(sandbox);
  expect(await checkInDevice(sandbox, first)).toEqual(first);
  const liar = await checkInDevice(sandbox, { ...first, securityToken: '1' });
  expect(liar.androidId).not.toBe(first.androidId);
  expect((await postAsDevice(sandbox, '/checkin', Buffer.from('{}'))).status).toBe(400);
});

test('a native FCM message travels the stream to the app that registered, and comes until it is acknowledged', async () => {
  const { identity, token } = await newApp();
  const device = await loggedIn(identity);
  expect((await sendNative(token, { alert: 'signed', via: 'a' })).status).toBe(200);
  const message = asData(await device.next());
  expect(message).toMatchObject({
    from: SENDER,
    category: APP,
    appData: { alert: 'signed', via: 'a' },
    ttlSeconds: 60,
  });
  await device.close();
  const again = await loggedIn(identity);
  expect(idOf(asData(await again.next()))).toBe(idOf(message));
  again.say({ kind: 'iq', id: '', lastStreamId: 2, extension: { kind: 'stream-ack' } });
  await nothingElse(again);
  await again.close();
  await nothingElse(await loggedIn(identity));
});

test.each([
  ['the ids in the next login', 'login'],
  ['a selective acknowledgement', 'selective'],
  ['what a heartbeat says of the stream', 'heartbeat'],
] as const)('a message is acknowledged by %s, too', async (_name, way) => {
  const { identity, token } = await newApp();
  await sendNative(token, { n: '1' });
  const device = await loggedIn(identity);
  const id = idOf(asData(await device.next()));
  if (way === 'selective')
    device.say({ kind: 'iq', id: '1', extension: { kind: 'selective-ack', ids: [id] } });
  if (way === 'heartbeat') device.say({ kind: 'heartbeat-ping', lastStreamId: 2 });
  if (way !== 'heartbeat') device.say({ kind: 'heartbeat-ping' });
  await device.next();
  await device.close();
  await nothingElse(await loggedIn(identity, way === 'login' ? [id] : []));
});

test('messages for a device that is away wait, in order; one with the same collapse key takes the other’s place', async () => {
  const { identity, token } = await newApp();
  await sendNative(token, { n: '1' }, { collapse_key: 'k' });
  await sendNative(token, { n: '2' });
  await sendNative(token, { n: '3' }, { collapse_key: 'k' });
  await sendNative(token, { n: 'now or never' }, { ttl: '0s' });
  const device = await loggedIn(identity);
  const seen = [asData(await device.next()), asData(await device.next())];
  expect(seen.map(({ appData }) => appData['n'])).toEqual(['2', '3']);
  await nothingElse(device);
  await sendNative(token, { n: 'now' }, { ttl: '0s' });
  expect(asData(await device.next())).toMatchObject({ appData: { n: 'now' } });
});

test('Web Push to a browser: the body as it is, the site as subtype, VAPID checked for its own push service', async () => {
  const { identity, token } = await newBrowser();
  const device = await loggedIn(identity);
  for (const origin of ['https://jmt17.google.com', 'https://fcm.googleapis.com', sandbox.origin]) {
    expect((await sendWeb(token, origin)).status).toBe(201);
    expect(asData(await device.next())).toMatchObject({
      from: vapid.publicKey,
      category: 'org.chromium.linux',
      appData: { subtype: 'wp:site#1', 'content-encoding': 'aes128gcm' },
      rawData: Buffer.from('encrypted'),
    });
  }
  const refused = [
    await sendWeb(token, 'https://updates.push.services.mozilla.com'),
    await sendWeb(token, undefined, { authorization: '' }),
    await sendWeb(token, undefined, vapidHeaders(sandbox.origin, webPush.generateVAPIDKeys())),
  ];
  expect(refused.map(({ status }) => status)).toEqual([401, 401, 401]);
  expect((await sendWeb(`${'x'.repeat(30)}`)).status).toBe(404);
  await nothingElse(device);
});

test('a subscription that is taken back is 410, an app’s token UNREGISTERED; the same words give a new token', async () => {
  const { identity, form, token } = await newBrowser();
  expect(tokenIn(await registerDevice(sandbox, identity, form))).toBe(token);
  expect(await registerDevice(sandbox, identity, { ...form, delete: 'true' })).toMatch(/^token=/);
  expect((await sendWeb(token)).status).toBe(410);
  expect(tokenIn(await registerDevice(sandbox, identity, form))).not.toBe(token);
  const app = await newApp();
  expect(await registerDevice(sandbox, app.identity, { app: APP, delete: 'true' })).toBe(
    `deleted=${APP}`,
  );
  expect((await sendNative(app.token, {})).status).toBe(404);
});

test('registration is refused in Google’s words', async () => {
  const identity = await checkInDevice(sandbox);
  const form = { app: APP, sender: SENDER };
  expect(await registerDevice(sandbox, identity, form)).toBe('Error=FIS_AUTH_ERROR');
  expect(await registerDevice(sandbox, identity, { ...form, sender: 'me' })).toBe(
    'Error=INVALID_SENDER',
  );
  expect(await registerDevice(sandbox, identity, { ...form, app: '../x' })).toBe(
    'Error=INVALID_PARAMETERS',
  );
  expect(await registerDevice(sandbox, { ...identity, securityToken: '5' }, form)).toBe(
    'Error=AUTHENTICATION_FAILED',
  );
});

test('an app of another project gets a token, and messages to it are refused', async () => {
  const { token } = await newApp('999');
  expect((await sendNative(token, {})).status).toBe(403);
});

test('a wrong secret is told so and sent away; so is who speaks before the login, or nonsense', async () => {
  const identity = await checkInDevice(sandbox);
  const liar = logInMcs(sandbox, { ...identity, securityToken: '7' });
  expect(await liar.next()).toMatchObject({ kind: 'login-response', error: { code: 401 } });
  await liar.closed;
  const hasty = connectMcs(sandbox);
  hasty.write(Buffer.from([MCS_VERSION]));
  hasty.say({ kind: 'heartbeat-ping' });
  await hasty.closed;
  const loud = connectMcs(sandbox);
  loud.write(Buffer.from([MCS_VERSION, 2, 0xff, 0xff, 0xff, 0xff, 0x0f]));
  await loud.closed;
});

test('one device has one connection: the newer one gets the messages, the older one hears that it is over', async () => {
  const { identity, token } = await newApp();
  const older = await loggedIn(identity);
  const newer = await loggedIn(identity);
  expect(await older.next()).toEqual({ kind: 'close' });
  await older.closed;
  await sendNative(token, { n: '1' });
  expect(asData(await newer.next()).appData['n']).toBe('1');
});

test('a restart of the sandbox keeps devices, registrations and what waits', async () => {
  const { identity, token } = await newApp();
  await sendNative(token, { n: 'before' });
  client.close();
  await sandbox.close();
  sandbox = await startTestSandbox(sandbox);
  client = connectProvider(sandbox);
  const device = await loggedIn(identity);
  expect(asData(await device.next()).appData['n']).toBe('before');
  await sendNative(token, { n: 'after' });
  expect(asData(await device.next()).appData['n']).toBe('after');
});
