import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { openSocket } from './open-socket.ts';

const servers: WebSocketServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  }
});

const closed = (socket: WebSocket) => new Promise((resolve) => socket.once('close', resolve));

/** A push service, and how many pings it got; `answers`: whether it answers them. */
async function service(answers: boolean) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: answers });
  servers.push(server);
  await once(server, 'listening');
  const pings = { count: 0 };
  server.on('connection', (client) => client.on('ping', () => pings.count++));
  const { port } = server.address() as AddressInfo;
  return { server, pings, url: new URL(`ws://127.0.0.1:${port}/`) };
}

test('P12: a link that no longer answers is left, one that answers is kept', async () => {
  const dead = await service(false);
  const alive = await service(true);
  const stop = new AbortController();
  const kept = openSocket(alive.url, stop.signal, { pingMs: 30 });
  await once(kept, 'open');
  const left = openSocket(dead.url, stop.signal, { pingMs: 30 });
  await closed(left);
  expect(dead.pings.count).toBe(1);
  while (alive.pings.count < 5) await once(kept, 'pong');
  expect(kept.readyState).toBe(kept.OPEN);
  stop.abort();
  await closed(kept);
});

test('a signal ends it, before it is open too', async () => {
  const { url } = await service(true);
  const stop = new AbortController();
  const socket = openSocket(url, stop.signal);
  stop.abort();
  await closed(socket);
  const late = openSocket(url, stop.signal);
  await closed(late);
  expect([socket.readyState, late.readyState]).toEqual([socket.CLOSED, socket.CLOSED]);
});

test('P12: a service that nobody reaches is an end and no crash', async () => {
  const { server, url } = await service(true);
  await new Promise((resolve) => server.close(resolve));
  const socket = openSocket(url, new AbortController().signal);
  await closed(socket);
  expect(socket.readyState).toBe(socket.CLOSED);
});
