import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import {
  type Script,
  ScriptedHttp2Server,
} from '../../../../tests/support/scripted-http2-server.ts';
import type { Exchange } from '../exchange.ts';
import { HTTP2_POOL_DEFAULTS, type Http2PoolOptions } from '../http2-pool-options.ts';
import { makeCertificate } from '../test-support/certificate.ts';
import { answer, Http2Provider } from '../test-support/http2-provider.ts';
import { posted } from '../test-support/promised.ts';
import { until } from '../test-support/until.ts';
import { FramedPool } from './framed-pool.ts';
import { frame, headers, reset, settings, settingsAck } from './test-support/peer-frames.ts';

/** What is this client's alone; the promises that it shares with `node:http2` are in tests/integration/post-client.test.ts. */

const certificate = makeCertificate();
const never = new AbortController().signal;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function open(port: number, options: Partial<Http2PoolOptions> = {}) {
  const events: string[] = [];
  const pool = new FramedPool(
    {
      ...HTTP2_POOL_DEFAULTS,
      sessions: 1,
      reconnect: { firstMs: 10, maxMs: 50 },
      tls: { ca: certificate.cert },
      ...options,
      origin: `https://localhost:${port}`,
    },
    { random: Math.random, onConnection: (event, detail) => events.push(`${event}: ${detail}`) },
  );
  cleanups.push(() => pool.close());
  const post = (body = Buffer.from('body'), signal = never) =>
    posted(pool, { path: '/', headers: { ttl: '1' }, body, signal });
  return { pool, events, post };
}

async function start(script: Script, options: Partial<Http2PoolOptions> = {}) {
  const server = await ScriptedHttp2Server.start(certificate, script);
  cleanups.push(() => server.close());
  return { server, ...open(server.port, options) };
}

const WELL: Script = {
  onConnection: ({ send }) => send(settings(), settingsAck()),
  onRequest: ({ send }, streamId) => send(headers(streamId, { ':status': '201' })),
};

const summary = (exchange: Exchange) =>
  exchange.kind === 'answer' ? String(exchange.status) : exchange.reason;
const all = async (requests: readonly Promise<Exchange>[]) =>
  new Set((await Promise.all(requests)).map(summary));
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

test.each([
  [['http/1.1'], 'offers HTTP/1.1 and nothing else'],
  [['spdy/9'], 'has nothing in common with us'],
])('a server that speaks no HTTP/2 (%s) is told apart from one that is away', async (protocols) => {
  const server = createHttpsServer({ ...certificate, ALPNProtocols: protocols });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    server.close();
  });
  const { pool, post, events } = open((server.address() as AddressInfo).port);
  // At once, not after `downAfterMs`: waiting would not make it speak HTTP/2.
  const startedAtMs = performance.now();
  expect(await all(many(10, () => post()))).toEqual(new Set(['connection']));
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  expect(pool.lacksHttp2).toBe(true);
  expect(events).toContain('lost: the server does not speak HTTP/2');
});

test('a server that is away does not lack HTTP/2', async () => {
  const { server, pool, post } = await start(WELL, { downAfterMs: 50 });
  await pool.ready;
  expect(summary(await post())).toBe('201');
  await server.close();
  cleanups.splice(0, 1);
  await until('it is down', () => pool.openSessions === 0);
  expect(summary(await post())).toBe('connection');
  expect(pool.lacksHttp2).toBe(false);
});

test('a peer that asks without end and never reads is left, before its answers pile up', async () => {
  const pings = Buffer.concat(many(20_000, () => frame(6, 0, 0, Buffer.alloc(8))));
  const { events, server } = await start({
    onConnection: ({ send, socket }) => {
      socket.pause();
      send(settings());
      for (let i = 0; i < 40; i++) send(pings);
    },
  });
  await until('it was left', () => events.includes('lost: the peer does not read'));
  expect(server.connections).toBeGreaterThan(0);
});

test('a peer that takes no more bytes holds what was written; the rest waits elsewhere, bounded', async () => {
  const { post } = await start(
    {
      onConnection: ({ send, socket }) => {
        send(
          settings([4, 0x7fff_ffff]),
          settingsAck(),
          Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0]),
        );
        setImmediate(() => socket.pause());
      },
    },
    { deadlineMs: 1_000, maxQueued: 50, busyPingMs: 200, pingTimeoutMs: 300, downAfterMs: 100 },
  );
  await post();
  const body = Buffer.alloc(200_000);
  const ends = await all(many(400, () => post(body)));
  expect([...ends].every((end) => ['connection', 'overloaded', 'timeout'].includes(end))).toBe(
    true,
  );
  expect(ends).toContain('overloaded');
});

test('every byte that a header may hold, in the Huffman code of nghttp2, is read', async () => {
  const bytes = many(256, (i) => i).filter((i) => i >= 0x20 && i !== 0x7f);
  const provider = new Http2Provider(certificate, (request) => {
    const byte = Number(request.headers['x-byte']);
    // Short codes around it, so that the code is worth its while.
    const text = `${'a'.repeat(60)}${String.fromCharCode(byte)}a`;
    answer(request, 429, '', { 'retry-after': text });
  });
  const { pool } = open(await provider.listen());
  cleanups.push(() => provider.close());
  const read = await Promise.all(
    bytes.map((byte) =>
      posted(pool, {
        path: '/',
        headers: { 'x-byte': String(byte) },
        body: Buffer.alloc(0),
        signal: never,
      }),
    ),
  );
  const texts = read.map(
    (exchange) => exchange.kind === 'answer' && exchange.retryAfter?.slice(60),
  );
  expect(texts).toEqual(bytes.map((byte) => `${String.fromCharCode(byte)}a`));
});

test('a peer that refuses everything is asked a few times, with pauses, and not for ever', async () => {
  let asked = 0;
  const { post } = await start({
    ...WELL,
    onRequest: ({ send }, streamId) => {
      asked++;
      send(reset(streamId, 7));
    },
  });
  expect(await all(many(20, () => post()))).toEqual(new Set(['connection']));
  expect(asked).toBe(20 * 6);
});

test('requests that wait after a refusal end by their signal, their deadline and the close, too', async () => {
  const refuse: Script = {
    ...WELL,
    onRequest: ({ send }, streamId) => send(reset(streamId, 7)),
  };
  const { post } = await start(refuse, { deadlineMs: 40 });
  const ends = await all(many(20, () => post()));
  expect([...ends].every((end) => end === 'timeout' || end === 'connection')).toBe(true);
  const { post: other, pool } = await start(refuse);
  await pool.ready;
  const controller = new AbortController();
  const aborted = many(5, () => other(Buffer.alloc(1), controller.signal));
  const closed = many(5, () => other());
  controller.abort();
  expect(await all(aborted)).toEqual(new Set(['aborted']));
  await pool.close();
  expect(await all(closed)).toEqual(new Set(['closed']));
});

test('a request that is made when another one is late does not put off the deadlines before its own', async () => {
  const { pool, post } = await start({ ...WELL, onRequest: () => undefined }, { deadlineMs: 600 });
  await pool.ready;
  const request = { path: '/', headers: { ttl: '1' }, body: Buffer.from('body'), signal: never };
  const ends: string[] = [];
  const lastEnd = Promise.withResolvers<void>();
  pool.post(request, () => {
    ends.push('first');
    pool.post(request, () => {
      ends.push('made late');
      lastEnd.resolve();
    });
  });
  // Later than the first by more than timers are off, so that it is not due together with it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await post()).toEqual({ kind: 'failed', reason: 'timeout' });
  expect(ends).toEqual(['first']);
  await lastEnd.promise;
});

test('random bytes of a peer, on many connections: every request settles, nothing is thrown', async () => {
  let seed = 42;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 0x8000_0000;
    return seed / 0x8000_0000;
  };
  const noise = (length: number) => Buffer.from(many(length, () => Math.floor(random() * 256)));
  const { post, server } = await start(
    {
      onConnection: ({ send }) => {
        if (random() < 0.9) send(settings(), settingsAck());
        else send(noise(50));
      },
      onRequest: ({ send }, streamId) => {
        const dice = random();
        if (dice < 0.3) send(headers(streamId, { ':status': '201' }));
        else if (dice < 0.6) send(frame(Math.floor(random() * 11), 5, streamId, noise(20)));
        else if (dice < 0.7) send(noise(30));
      },
    },
    { sessions: 3, deadlineMs: 300, downAfterMs: 500, busyPingMs: 50, pingTimeoutMs: 100 },
  );
  for (let round = 0; round < 15; round++) await Promise.all(many(30, () => post()));
  expect(server.connections).toBeGreaterThan(5);
});
