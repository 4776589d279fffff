import { connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import { expect, test } from '@jest/globals';
import { makeCertificate } from '../../../services/dispatcher/transports/test-support/certificate.ts';
import { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import { startSink } from '../contest/start-sink.ts';
import { findPath } from './header-path.ts';
import { keyOf, SeenKeys } from './seen-keys.ts';

const certificate = makeCertificate();
const tls = { keyPem: certificate.key, certPem: certificate.cert };

test.each([
  ['behind the token', (text: string) => text.indexOf('data') + 20],
  ['at the token’s end', (text: string, token: string) => text.indexOf(token) + token.length],
  ['in the token', (text: string, token: string) => text.indexOf(token) + 2],
])(
  'over HTTP/2, with bodies cut %s: every message is answered after the reply time, and devices are told apart',
  async (_where, cutAt) => {
    await using cleanup = new CleanupStack();
    const sink = await startSink({ kind: 'fcm', replyMs: 30, maxStreams: 100, ...tls }, cleanup);
    const session = connectHttp2(`https://localhost:${sink.port}`, { ca: certificate.cert });
    cleanup.add('session', () => session.destroy());
    const send = (token: string) =>
      new Promise<{ status: number; body: string; tookMs: number }>((done, fail) => {
        const startedMs = performance.now();
        const stream = session.request({
          ...{ ':method': 'POST', ':path': '/v1/projects/p/messages:send', ':scheme': 'https:' },
          authorization: 'Bearer x',
        });
        let [status, body] = [0, ''];
        stream.once('response', (headers) => {
          status = Number(headers[':status']);
        });
        stream.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        stream.once('end', () => done({ status, body, tookMs: performance.now() - startedMs }));
        stream.once('error', fail);
        const text = JSON.stringify({ message: { token, data: { alert: 'x'.repeat(3_000) } } });
        const cut = cutAt(text, token);
        stream.write(text.slice(0, cut));
        stream.end(text.slice(cut));
      });
    const answers = await Promise.all(['one', 'two', 'one', 'three'].map(send));
    for (const { status, body, tookMs } of answers) {
      expect(status).toBe(200);
      expect(JSON.parse(body)).toEqual({ name: expect.stringContaining('messages/') });
      expect(tookMs).toBeGreaterThanOrEqual(28);
    }
    expect(await sink.stats()).toMatchObject({ messages: 4, devices: 3 });
    expect(await sink.beginAnew()).toMatchObject({ messages: 0, devices: 0 });
  },
  20_000,
);

test('HTTP/1.1 clients are answered on the same port, one request after the other on a connection', async () => {
  await using cleanup = new CleanupStack();
  const sink = await startSink({ kind: 'web-push', replyMs: 0, maxStreams: 100, ...tls }, cleanup);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: certificate.cert });
  cleanup.add('agent', () => agent.destroy());
  for (const path of ['/wpush/v2/a', '/wpush/v2/b', '/wpush/v2/a']) {
    const status = await new Promise((done, fail) => {
      const sent = request(
        { host: 'localhost', port: sink.port, path, method: 'POST', agent },
        (answer) => {
          answer.resume();
          answer.once('end', () => done(answer.statusCode));
        },
      );
      sent.once('error', fail);
      sent.end(Buffer.alloc(200));
    });
    expect(status).toBe(201);
  }
  expect(await sink.stats()).toMatchObject({ messages: 3, devices: 2 });
}, 20_000);

test('the path is found behind indexed fields, a table size, long lengths and other literals', () => {
  const path = Buffer.from(`/wpush/v2/${'x'.repeat(200)}`);
  const length = Buffer.from([0x7f, path.length - 127 - 128 + 128, 0]);
  length.writeUInt8((path.length - 127) | 0x80, 1);
  length.writeUInt8((path.length - 127) >> 7, 2);
  const block = Buffer.concat([
    Buffer.from([0x20, 0x83, 0x87, 0x41, 3]),
    Buffer.from('abc'),
    Buffer.from([0x00, 1]),
    Buffer.from('x'),
    Buffer.from([1]),
    Buffer.from('y'),
    Buffer.from([0x04]),
    length,
    path,
    Buffer.from([0xbe]),
  ]);
  const found = { start: 0, end: 0 };
  expect(findPath(block, 0, block.length, found)).toBe(true);
  expect(block.subarray(found.start, found.end)).toEqual(path);
  expect(findPath(Buffer.from([0x83, 0x84]), 0, 2, found)).toBe(false);
});

test('keys tell two hundred thousand addresses apart, and the set grows with them', () => {
  const seen = new SeenKeys();
  for (let i = 0; i < 200_000; i++) {
    const bytes = Buffer.from(`/wpush/v2/device-${i}`);
    seen.add(keyOf(bytes, 0, bytes.length));
  }
  expect(seen.size).toBe(200_000);
  const again = Buffer.from('/wpush/v2/device-7');
  expect(seen.add(keyOf(again, 0, again.length))).toBe(false);
  seen.clear();
  expect(seen.size).toBe(0);
});
