import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import webPush from 'web-push';
import { createReceiverKeys, decryptWebPush } from '../../shared/web-push/decrypt.ts';
import {
  connectBrowser,
  connectProvider,
  type ProviderClient,
  vapidHeaders,
} from '../../tests/support/sandbox-client.ts';
import { startTestSandbox, type TestSandbox } from '../../tests/support/sandbox-tls.ts';
import { MAX_WEB_PUSH_BYTES } from './web-push-endpoint.ts';

const vapid = webPush.generateVAPIDKeys();
const receiverKeys = createReceiverKeys();
let sandbox: TestSandbox;
let client: ProviderClient;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  client = connectProvider(sandbox);
});
afterEach(() => faults({}));
afterAll(async () => {
  client.close();
  await sandbox.destroy();
});

const faults = async (changes: unknown) => {
  const answer = await fetch(`${sandbox.controlUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ webPush: changes }),
  });
  expect(answer.status).toBe(200);
};
const encrypt = (text: string) =>
  webPush.encrypt(receiverKeys.publicKey, receiverKeys.auth, text, 'aes128gcm').cipherText;
const headers = (changes: Record<string, string | undefined> = {}) => {
  const all = { ...vapidHeaders(sandbox.origin, vapid), ...changes };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
};
const push = (path: string, changes = {}, body: string | Buffer = encrypt('alerte')) =>
  client.post(path, headers(changes), body);

async function subscribe(uaid?: string) {
  const browser = await connectBrowser(sandbox, uaid);
  const channelID = randomUUID();
  browser.receiver.send({ messageType: 'register', channelID, key: vapid.publicKey });
  const registered = await browser.receiver.next();
  const path = new URL(String(registered['pushEndpoint'])).pathname;
  return { ...browser, channelID, registered, path };
}
const textOf = (notification: Record<string, unknown>) =>
  decryptWebPush(Buffer.from(String(notification['data']), 'base64url'), receiverKeys).toString();

test('a browser subscribes, receives what was sent and acknowledges it', async () => {
  const { receiver, hello, uaid, registered, channelID, path } = await subscribe();
  expect(hello).toEqual({
    messageType: 'hello',
    uaid: expect.stringMatching(/^[0-9a-f]{32}$/),
    status: 200,
    use_webpush: true,
    broadcasts: {},
  });
  expect(registered).toEqual({
    messageType: 'register',
    channelID,
    status: 200,
    pushEndpoint: expect.stringMatching(
      new RegExp(`^https://localhost:${sandbox.httpsPort}/wpush/v2/[A-Za-z0-9_-]+$`),
    ),
  });
  const reply = await push(path, { urgency: 'high' });
  expect([reply.status, reply.headers['ttl']]).toEqual([201, '60']);
  expect(reply.headers['location']).toMatch(/^https:\/\/localhost:\d+\/m\//);
  const notification = await receiver.next();
  expect(notification).toEqual({
    messageType: 'notification',
    channelID,
    version: expect.any(String),
    data: expect.any(String),
    headers: { encoding: 'aes128gcm' },
  });
  expect(textOf(notification)).toBe('alerte');
  const { version } = notification;
  receiver.send({ messageType: 'ack', updates: [{ channelID, version, code: 100 }] });
  receiver.send({});
  expect(await receiver.next()).toEqual({});
  await receiver.close();

  const again = await connectBrowser(sandbox, uaid);
  expect(again.uaid).toBe(uaid);
  again.receiver.send({});
  expect(await again.receiver.next()).toEqual({});
  await again.receiver.close();
});

test.each([
  ['no TTL', { ttl: undefined }, 400, 111],
  ['a TTL that is no number', { ttl: '-1' }, 400, 112],
  ['another encoding', { 'content-encoding': 'aesgcm' }, 400, 110],
  ['no encoding', { 'content-encoding': undefined }, 400, 110],
  ['a Topic with other characters', { topic: 'nice/alerte' }, 400, 113],
  ['a Topic above 32 characters', { topic: 'x'.repeat(33) }, 400, 113],
  ['an unknown Urgency', { urgency: 'extreme' }, 400, null],
  ['no Authorization', { authorization: undefined }, 401, 109],
  ['another scheme', { authorization: 'Bearer abc' }, 401, 109],
  ['a VAPID header without a key', { authorization: 'vapid t=abc' }, 401, 109],
])('refuses %s', async (_what, changes, status, errno) => {
  const { receiver, path } = await subscribe();
  const reply = await push(path, changes);
  expect(reply.status).toBe(status);
  expect(reply.body).toEqual({
    code: status,
    errno,
    error: expect.any(String),
    message: expect.any(String),
    more_info: expect.any(String),
  });
  await receiver.close();
});

test('VAPID: audience, end, subject, signature and key are checked', async () => {
  const { receiver, path } = await subscribe();
  const hours = (n: number) => Math.floor(Date.now() / 1000) + n * 3600;
  const other = webPush.generateVAPIDKeys();
  const { authorization: foreign } = vapidHeaders(sandbox.origin, other);
  const { authorization: own } = vapidHeaders(sandbox.origin, vapid);
  const borrowed = own.replace(/t=[^,]+/, /t=[^,]+/.exec(foreign)?.[0] ?? '');
  const wrong = [
    [vapidHeaders('https://example.org', vapid).authorization, 'Invalid VAPID audience'],
    [foreign, 'VAPID public key mismatch'],
    [borrowed, 'Invalid VAPID signature'],
    [await vapidToken({ aud: sandbox.origin, exp: hours(-1), sub: 'mailto:a@b.fr' }), /expiry/],
    [await vapidToken({ aud: sandbox.origin, exp: hours(25), sub: 'mailto:a@b.fr' }), /too long/],
    [await vapidToken({ aud: sandbox.origin, exp: hours(1) }), /claims/],
  ] as const;
  for (const [authorization, message] of wrong) {
    const reply = await push(path, { authorization });
    expect(reply.body).toMatchObject({ code: 401, errno: 109 });
    expect((reply.body as { message: string }).message).toMatch(message);
  }
  expect((await push(path)).status).toBe(201);
  await receiver.close();
});

async function vapidToken(claims: Record<string, unknown>): Promise<string> {
  const { SignJWT, importJWK } = await import('jose');
  const point = Buffer.from(vapid.publicKey, 'base64url');
  const key = await importJWK({
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
    d: vapid.privateKey,
    alg: 'ES256',
  });
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .sign(key);
  return `vapid t=${token}, k=${vapid.publicKey}`;
}

test('413 above the limit; the limit itself is taken', async () => {
  const { receiver, path } = await subscribe();
  expect((await push(path, {}, Buffer.alloc(MAX_WEB_PUSH_BYTES + 1))).body).toMatchObject({
    code: 413,
    errno: 104,
  });
  expect((await push(path, {}, Buffer.alloc(MAX_WEB_PUSH_BYTES))).status).toBe(201);
  await receiver.close();
});

test('P9: 404 for an endpoint that never was, 410 for one that was given up', async () => {
  expect((await push('/wpush/v2/unknown')).body).toMatchObject({ code: 404, errno: 102 });
  const { receiver, path, channelID } = await subscribe();
  receiver.send({ messageType: 'unregister', channelID, code: 200 });
  expect(await receiver.next()).toEqual({ messageType: 'unregister', channelID, status: 200 });
  expect((await push(path)).body).toMatchObject({ code: 410, errno: 106 });
  await receiver.close();
});

test('what is sent to an absent browser waits for its TTL; TTL 0 is dropped; a Topic replaces', async () => {
  const { receiver, uaid, path, channelID } = await subscribe();
  await receiver.close();
  expect((await push(path, { ttl: '0' }, encrypt('now or never'))).status).toBe(201);
  await push(path, { topic: 'nice' }, encrypt('first'));
  await push(path, { topic: 'nice' }, encrypt('second'));
  await push(path, {}, encrypt('third'));
  const { receiver: back } = await connectBrowser(sandbox, uaid);
  const texts = [textOf(await back.next()), textOf(await back.next())];
  expect(texts).toEqual(['second', 'third']);
  expect(channelID).toBeDefined();
  await back.close();
});

test('stored messages come ten at a time, the next when all are acknowledged', async () => {
  const { receiver, uaid, path, channelID } = await subscribe();
  await receiver.close();
  for (let i = 0; i < 12; i++) await push(path, {}, encrypt(String(i)));
  const { receiver: back } = await connectBrowser(sandbox, uaid);
  const batch = [];
  for (let i = 0; i < 10; i++) batch.push(await back.next());
  back.send({});
  expect(await back.next()).toEqual({});
  const updates = batch.map(({ version }) => ({ channelID, version, code: 101 }));
  back.send({ messageType: 'ack', updates });
  expect([textOf(await back.next()), textOf(await back.next())]).toEqual(['10', '11']);
  await back.close();
});

test('more than 150 waiting messages reset the user: 410, and a new identity at the next hello', async () => {
  const { receiver, uaid, path } = await subscribe();
  await receiver.close();
  const body = encrypt('x');
  for (let i = 0; i < 150; i++) expect((await push(path, {}, body)).status).toBe(201);
  expect((await push(path, {}, body)).status).toBe(201);
  expect((await push(path, {}, body)).body).toMatchObject({ code: 410, errno: 103 });
  const back = await connectBrowser(sandbox, uaid);
  expect(back.uaid).not.toBe(uaid);
  await back.receiver.close();
});

test('the same identity twice: the older connection is ended', async () => {
  const { receiver, uaid } = await subscribe();
  const newer = await connectBrowser(sandbox, uaid);
  expect(await receiver.closed()).toBe(4774);
  await newer.receiver.close();
});

test('a ping too soon after another, a message before hello and a strange one end the connection', async () => {
  const { receiver } = await subscribe();
  receiver.send({});
  await receiver.next();
  receiver.send({});
  expect(await receiver.closed()).toBe(4000);
  const { receiver: strange } = await connectBrowser(sandbox);
  strange.send({ messageType: 'purge' });
  expect(await strange.closed()).toBe(4000);
});

test('a channel id or key of the wrong form is answered with status 400', async () => {
  const { receiver } = await connectBrowser(sandbox);
  receiver.send({ messageType: 'register', channelID: 'NOT-A-UUID', key: vapid.publicKey });
  expect(await receiver.next()).toMatchObject({ status: 400 });
  receiver.send({ messageType: 'register', channelID: randomUUID(), key: 'abc' });
  expect(await receiver.next()).toMatchObject({ status: 400 });
  await receiver.close();
});

test('the switches: 429 and 503 with Retry-After, 500, 410, refused auth, black hole', async () => {
  const { receiver, path } = await subscribe();
  const check = async (switches: unknown, status: number, errno: number, retryAfter?: string) => {
    await faults(switches);
    const reply = await push(path);
    expect(reply.body).toMatchObject({ code: status, errno });
    expect(reply.headers['retry-after']).toBe(retryAfter);
  };
  await check({ reject429Share: 1, retryAfterSeconds: 5 }, 429, 201, '5');
  await check({ status5xxShare: 1, retryAfterSeconds: 6 }, 503, 201, '6');
  await check({ status5xxShare: 1, status5xx: 500 }, 500, 999);
  await check({ goneShare: 1 }, 410, 106);
  await check({ denyAuth: 403 }, 403, 109);
  await check({ revoked: true }, 403, 109);
  await faults({ blackHole: true });
  expect((await push(path, {}, encrypt('lost'))).status).toBe(201);
  await faults({});
  await push(path, {}, encrypt('seen'));
  expect(textOf(await receiver.next())).toBe('seen');
  await receiver.close();
});

test('users, endpoints and waiting messages outlive a restart', async () => {
  let own = await startTestSandbox();
  const browser = await connectBrowser(own);
  browser.receiver.send({
    messageType: 'register',
    channelID: randomUUID(),
    key: vapid.publicKey,
  });
  const { pushEndpoint } = await browser.receiver.next();
  await browser.receiver.close();
  const send = async (text: string) => {
    const sender = connectProvider(own);
    const { pathname } = new URL(String(pushEndpoint));
    const reply = await sender.post(pathname, vapidHeaders(own.origin, vapid), encrypt(text));
    sender.close();
    return reply.status;
  };
  expect(await send('before')).toBe(201);
  await own.close();
  own = await startTestSandbox(own);
  expect(await send('after')).toBe(201);
  const back = await connectBrowser(own, browser.uaid);
  expect(back.uaid).toBe(browser.uaid);
  expect([textOf(await back.receiver.next()), textOf(await back.receiver.next())]).toEqual([
    'before',
    'after',
  ]);
  await back.receiver.close();
  await own.destroy();
});
