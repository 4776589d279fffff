import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ProxyFaults, TcpFaultProxy } from './tcp-fault-proxy.ts';

let echo: Server;
let proxy: TcpFaultProxy;
const heard: string[] = [];

beforeEach(async () => {
  heard.length = 0;
  echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk.toString());
      socket.write(chunk);
    });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  proxy = await TcpFaultProxy.start({ host: '127.0.0.1', port: address.port }, () => 0.5);
});
afterEach(async () => {
  await proxy.close();
  echo.close();
});

function open(): { socket: Socket; got: () => string; ended: Promise<string> } {
  const socket = connect(proxy.port, '127.0.0.1');
  let got = '';
  const ended = new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve('closed'));
  });
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString();
  });
  return { socket, got: () => got, ended };
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 3_000; !isSo(); ) {
    if (Date.now() > end) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('without faults everything passes, and the end of a connection too', async () => {
  const { socket, got, ended } = open();
  socket.write('hello');
  await until(() => got() === 'hello');
  socket.end();
  await ended;
  await until(() => proxy.connections === 0);
});

test('delay and jitter are waited for in both directions', async () => {
  proxy.set({ delayMs: 40, jitterMs: 40 });
  const { socket, got } = open();
  const startedMs = performance.now();
  socket.write('hello');
  await until(() => got() === 'hello');
  expect(performance.now() - startedMs).toBeGreaterThan(110);
  socket.destroy();
});

test('bandwidth: 100 bytes at 1,000 bytes a second take 0.1 s each way', async () => {
  proxy.set({ bytesPerSecond: 1_000 });
  const { socket, got } = open();
  const startedMs = performance.now();
  socket.write('x'.repeat(100));
  await until(() => got().length === 100);
  expect(performance.now() - startedMs).toBeGreaterThan(180);
  socket.destroy();
});

test('a cut resets what is open and refuses what is new, until it ends', async () => {
  const before = open();
  before.socket.write('hello');
  await until(() => before.got() === 'hello');
  proxy.set({ cut: true });
  expect(await before.ended).toBe('ECONNRESET');
  expect(await open().ended).toBe('ECONNRESET');
  proxy.set({});
  const after = open();
  after.socket.write('again');
  await until(() => after.got() === 'again');
  after.socket.destroy();
});

test('half-open: nothing passes and nothing closes; what was sent arrives when it ends', async () => {
  const { socket, got } = open();
  proxy.set({ halfOpen: true });
  socket.write('hello');
  await pause(100);
  expect([got(), heard.join(''), proxy.connections]).toEqual(['', '', 1]);
  proxy.set({});
  await until(() => got() === 'hello');
  socket.destroy();
});

test.each<[Partial<ProxyFaults>, string]>([
  [{ onlyTo: 'server' }, 'hello'],
  [{ onlyTo: 'client' }, ''],
])('one-way %j: the server has heard %j, the client hears nothing', async (faults, atServer) => {
  const { socket, got } = open();
  proxy.set(faults);
  socket.write('hello');
  await pause(100);
  expect([heard.join(''), got()]).toEqual([atServer, '']);
  socket.destroy();
});

test('bytes after the N-th are lost for good', async () => {
  proxy.set({ loseAfterBytes: 3 });
  const { socket, got } = open();
  socket.write('hello');
  await until(() => got() === 'hel');
  proxy.set({});
  await pause(50);
  expect(heard.join('')).toBe('hel');
  socket.destroy();
});

test('cut before the answer: the server has the request, the client a reset', async () => {
  proxy.set({ cutBeforeAnswer: true });
  const { socket, got, ended } = open();
  socket.write('hello');
  expect(await ended).toBe('ECONNRESET');
  expect([heard.join(''), got(), proxy.answersCut]).toEqual(['hello', '', 1]);
});

test('forgotten: what was open carries nothing any more and nobody is told; what is new works', async () => {
  const old = open();
  old.socket.write('before');
  await until(() => old.got() === 'before');
  proxy.forget();
  old.socket.write('after');
  const fresh = open();
  fresh.socket.write('new');
  await until(() => fresh.got() === 'new');
  proxy.set({});
  await pause(50);
  expect([old.got(), heard.join(''), proxy.connections]).toEqual(['before', 'beforenew', 2]);
  old.socket.destroy();
  fresh.socket.destroy();
});

test('trickle: the client gets byte after byte, and the rest at once when it ends', async () => {
  proxy.set({ trickleMs: 20 });
  const { socket, got } = open();
  const startedMs = performance.now();
  socket.write('0123456789'.repeat(10));
  await until(() => got().length >= 5);
  expect(performance.now() - startedMs).toBeGreaterThan(75);
  expect(got().length).toBeLessThan(50);
  proxy.set({});
  await until(() => got().length === 100);
  expect(got()).toBe('0123456789'.repeat(10));
  socket.destroy();
});
