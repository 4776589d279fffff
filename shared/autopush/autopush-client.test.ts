import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { createLogger } from '../log/logger.ts';
import { AutopushClient, type AutopushIdentity } from './autopush-client.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Json = Record<string, unknown>;

/** The server's side of the wire, played by hand: each connection's messages can be awaited in order. */
async function playServer() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  closers.push(() => {
    for (const each of server.clients) each.terminate();
    return new Promise((resolve) => server.close(resolve));
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sockets: WebSocket[] = [];
  const messages: Json[] = [];
  const waiting: ((message: Json) => void)[] = [];
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('message', (raw) => {
      const message = JSON.parse(String(raw)) as Json;
      const waiter = waiting.shift();
      if (waiter) waiter(message);
      else messages.push(message);
    });
  });
  const next = async (): Promise<Json> =>
    messages.shift() ?? (await new Promise((resolve) => waiting.push(resolve)));
  const say = (message: Json) => sockets.at(-1)?.send(JSON.stringify(message));
  return { url, next, say, sockets };
}

function startClient(url: string, identity?: AutopushIdentity, pingMs?: number) {
  const identities: AutopushIdentity[] = [];
  const bodies: string[] = [];
  const client = new AutopushClient(
    { url, vapidPublicKey: 'KEY', identity, ...(pingMs === undefined ? {} : { pingMs }) },
    {
      log: createLogger('test', 'test', 'silent'),
      random: () => 0,
      onIdentity: (each) => identities.push(each),
      onMessage: async (body) => {
        bodies.push(body.toString());
        if (body.toString() === 'bug') throw new Error('bug');
        return body.toString() === 'noise' ? 'undecryptable' : 'delivered';
      },
    },
  );
  closers.push(() => client.close());
  return { client, identities, bodies };
}

const KNOWN = { uaid: 'a'.repeat(32), channelId: 'c1', endpoint: 'https://push.example/1' };
const hello = (uaid: string) => ({ messageType: 'hello', uaid, status: 200, use_webpush: true });

async function until(condition: () => boolean) {
  for (const deadline = Date.now() + 5_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a new receiver says hello, registers with the sender’s key and learns its endpoint', async () => {
  const server = await playServer();
  const { client, identities } = startClient(server.url);
  expect(await server.next()).toEqual({ messageType: 'hello', use_webpush: true });
  server.say(hello('u1'));
  const register = await server.next();
  expect(register).toMatchObject({ messageType: 'register', key: 'KEY' });
  expect(String(register['channelID'])).toMatch(/^[0-9a-f-]{36}$/);
  expect(client.connected).toBe(false);
  const answer = { ...register, status: 200, pushEndpoint: 'https://push.example/2' };
  server.say(answer);
  await until(() => client.connected);
  expect(identities).toEqual([
    { uaid: 'u1', channelId: register['channelID'], endpoint: 'https://push.example/2' },
  ]);
});

test('an identity that the service still knows is kept', async () => {
  const server = await playServer();
  const { client, identities } = startClient(server.url, KNOWN);
  expect(await server.next()).toMatchObject({ uaid: KNOWN.uaid });
  server.say(hello(KNOWN.uaid));
  await until(() => client.connected);
  expect(identities).toEqual([KNOWN]);
});

test('an identity that the service has forgotten is registered anew', async () => {
  const server = await playServer();
  startClient(server.url, KNOWN);
  await server.next();
  server.say(hello('b'.repeat(32)));
  const register = await server.next();
  expect(register).toMatchObject({ messageType: 'register' });
  expect(register['channelID']).not.toBe(KNOWN.channelId);
});

test('every message is acknowledged, also one that cannot be decrypted or whose handling fails: silence would block the rest', async () => {
  const server = await playServer();
  const { client, bodies } = startClient(server.url, KNOWN);
  await server.next();
  server.say(hello(KNOWN.uaid));
  await until(() => client.connected);
  const codes: unknown[] = [];
  for (const text of ['alert', 'noise', 'bug']) {
    const data = Buffer.from(text).toString('base64url');
    server.say({ messageType: 'notification', channelID: 'c1', version: text, data });
    const ack = await server.next();
    expect(ack).toMatchObject({
      messageType: 'ack',
      updates: [{ channelID: 'c1', version: text }],
    });
    codes.push((ack['updates'] as Json[])[0]?.['code']);
  }
  expect(codes).toEqual([100, 101, 101]);
  expect(bodies).toEqual(['alert', 'noise', 'bug']);
});

test('a lost connection is made again under the same identity; told to forget, under a new one', async () => {
  const server = await playServer();
  const { client } = startClient(server.url, KNOWN);
  await server.next();
  server.say(hello(KNOWN.uaid));
  await until(() => client.connected);
  server.sockets[0]?.terminate();
  expect(await server.next()).toMatchObject({ messageType: 'hello', uaid: KNOWN.uaid });
  server.say(hello(KNOWN.uaid));
  await until(() => client.connected);
  client.reconnect({ forget: true });
  expect(await server.next()).toEqual({ messageType: 'hello', use_webpush: true });
});

test('pings go out at the given pace and are answered; the real service wants at least 45 s between two', async () => {
  const server = await playServer();
  const { client } = startClient(server.url, KNOWN, 30);
  await server.next();
  server.say(hello(KNOWN.uaid));
  for (let i = 0; i < 3; i++) {
    expect(await server.next()).toEqual({});
    server.say({});
  }
  expect(client.connected).toBe(true);
});

test('nonsense from the server is no harm', async () => {
  const server = await playServer();
  const { client } = startClient(server.url, KNOWN);
  await server.next();
  server.sockets[0]?.send('not json');
  server.say({ messageType: 'broadcast', broadcasts: {} });
  server.say(hello(KNOWN.uaid));
  await until(() => client.connected);
});
