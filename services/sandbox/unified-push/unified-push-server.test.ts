import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { startTestSandbox, type TestSandbox } from '../../../tests/support/sandbox-tls.ts';

let sandbox: TestSandbox;
const BINARY = Buffer.from([0xff, 0x00, 0x80, 0x01]);

beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.destroy());

interface Reply {
  readonly status: number | undefined;
  readonly text: string;
}

function call(method: string, path: string, body?: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = body ? { 'content-encoding': 'aes128gcm', ttl: '60' } : {};
    const url = new URL(path, sandbox.unifiedPushOrigin);
    const sent = request(url, { method, ca: sandbox.caPem, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function listen(path: string) {
  const lines: { event: string; message?: string; encoding?: string; id: string }[] = [];
  const socket = new WebSocket(`${sandbox.unifiedPushOrigin.replace('https', 'wss')}${path}`, {
    ca: sandbox.caPem,
  });
  socket.on('error', () => undefined);
  socket.on('message', (data) => lines.push(JSON.parse(String(data))));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { lines, socket, closed };
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const faults = (unifiedPush: object) =>
  fetch(`${sandbox.controlUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ unifiedPush }),
  });

test('it says that it is a UnifiedPush server, and that it is healthy', async () => {
  expect(await call('GET', '/upABC?up=1')).toEqual({
    status: 200,
    text: '{"unifiedpush":{"version":1}}\n',
  });
  expect((await call('GET', '/v1/health')).text).toBe('{"healthy":true}\n');
  expect((await call('GET', '/upABC')).status).toBe(404);
  expect((await call('POST', '/a/b', BINARY)).status).toBe(404);
});

test('a receiver on the WebSocket is told "open" and then gets each binary body as base64', async () => {
  const { lines, socket, closed } = listen('/upLive/ws');
  await until(() => lines.length === 1);
  const reply = await call('POST', '/upLive?up=1', BINARY);
  expect(reply.status).toBe(200);
  await until(() => lines.length === 2);
  expect(lines[0]).toMatchObject({ event: 'open', topic: 'upLive' });
  expect(lines[1]).toEqual(JSON.parse(reply.text));
  expect(lines[1]).toMatchObject({
    event: 'message',
    encoding: 'base64',
    message: BINARY.toString('base64'),
  });
  socket.close();
  await closed;
});

test('a receiver that reads lines of JSON is told the same', async () => {
  const url = new URL('/upLines/json', sandbox.unifiedPushOrigin);
  const reading = request(url, { ca: sandbox.caPem });
  const [stream] = (await once(reading.end(), 'response')) as [IncomingMessage];
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const lines = () => text.split('\n').slice(0, -1);
  await until(() => lines().length === 1);
  const reply = await call('POST', '/upLines?up=1', BINARY);
  await until(() => lines().length === 2);
  expect(JSON.parse(lines()[0] ?? '')).toMatchObject({ event: 'open', topic: 'upLines' });
  expect(`${lines()[1]}\n`).toBe(reply.text);
  stream.on('error', () => undefined);
  reading.destroy();
});

test('what came while nobody listened is kept: all of it, or what is newer than a message', async () => {
  const first = JSON.parse((await call('POST', '/upKept?up=1', BINARY)).text) as { id: string };
  await call('POST', '/upKept?up=1', Buffer.from('text'));
  const poll = async (since: string) =>
    (await call('GET', `/upKept/json?poll=1&since=${since}`)).text
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { message: string; encoding?: string });
  expect(await poll('all')).toHaveLength(2);
  expect(await poll(first.id)).toMatchObject([{ message: 'text' }]);
  expect((await poll(first.id))[0]).not.toHaveProperty('encoding');
  const { lines, socket, closed } = listen(`/upKept/ws?since=${first.id}`);
  await until(() => lines.length === 2);
  expect(lines.map(({ event }) => event)).toEqual(['open', 'message']);
  socket.close();
  await closed;
});

test('P5: a black hole answers like a good one and delivers nothing', async () => {
  const { lines, socket, closed } = listen('/upHole/ws');
  await until(() => lines.length === 1);
  await faults({ blackHole: true });
  expect((await call('POST', '/upHole?up=1', BINARY)).status).toBe(200);
  await faults({});
  await call('POST', '/upHole?up=1', Buffer.from('after'));
  await until(() => lines.length === 2);
  expect(lines[1]).toMatchObject({ message: 'after' });
  socket.close();
  await closed;
});

test('switched off, it ends every connection and takes none; switched on, it is there again', async () => {
  const { lines, closed } = listen('/upDown/ws');
  await until(() => lines.length === 1);
  await faults({ down: true });
  await closed;
  await expect(call('POST', '/upDown?up=1', BINARY)).rejects.toThrow();
  await faults({});
  expect((await call('POST', '/upDown?up=1', BINARY)).status).toBe(200);
});
