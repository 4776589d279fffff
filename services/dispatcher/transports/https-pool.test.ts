import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { Exchange } from './exchange.ts';
import {
  createHttpsAgent,
  HTTPS_AGENT_DEFAULTS,
  HTTPS_POOL_DEFAULTS,
  type HttpsAgentOptions,
  HttpsPool,
  type HttpsPoolOptions,
} from './https-pool.ts';
import { makeCertificate } from './test-support/certificate.ts';
import { posted } from './test-support/promised.ts';
import { until } from './test-support/until.ts';

const certificate = makeCertificate();
const never = new AbortController().signal;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
  { deadlineMs, maxOpen, ...agentOptions }: Partial<HttpsPoolOptions & HttpsAgentOptions> = {},
) {
  const sockets = new Set<Socket>();
  const seen = { requests: 0, connections: 0, paths: [] as string[] };
  const server = createServer({ ...certificate, keepAliveTimeout: 60_000 }, (request, response) => {
    seen.requests++;
    seen.paths.push(request.url ?? '');
    request.resume();
    request.once('end', () => onRequest(request, response));
  });
  server.on('connection', (socket: Socket) => {
    seen.connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  cleanups.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    cut();
    await closed;
  });
  const agent = createHttpsAgent({
    ...HTTPS_AGENT_DEFAULTS,
    ca: certificate.cert,
    ...agentOptions,
  });
  cleanups.push(async () => agent.destroy());
  const pool = new HttpsPool(
    {
      ...HTTPS_POOL_DEFAULTS,
      origin: `https://localhost:${(server.address() as AddressInfo).port}`,
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(maxOpen === undefined ? {} : { maxOpen }),
    },
    agent,
  );
  cleanups.push(() => pool.close());
  const post = (path = '/x', signal = never) =>
    posted(pool, { path, headers: { ttl: '60' }, body: Buffer.from('sealed'), signal });
  return { pool, post, seen, cut };
}

const summary = (exchange: Exchange) =>
  exchange.kind === 'answer' ? String(exchange.status) : exchange.reason;
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const summaries = async (exchanges: Promise<Exchange>[]) =>
  (await Promise.all(exchanges)).map(summary);

test('connections are kept and bounded: 200 requests over 4 sockets', async () => {
  const { post, seen } = await start((_request, response) => response.writeHead(201).end(), {
    socketsPerOrigin: 4,
  });
  expect(new Set(await summaries(many(200, () => post())))).toEqual(new Set(['201']));
  expect(seen.connections).toBeLessThanOrEqual(4);
});

test('gives back status, Retry-After and body; a redirect is an answer, not an order', async () => {
  const { post, seen } = await start((request, response) =>
    request.url === '/moved'
      ? response.writeHead(307, { location: '/x' }).end()
      : response.writeHead(429, { 'retry-after': '30' }).end('slow down'),
  );
  expect(await post()).toEqual({
    kind: 'answer',
    status: 429,
    retryAfter: '30',
    body: 'slow down',
  });
  expect(summary(await post('/moved'))).toBe('307');
  expect(seen.requests).toBe(2);
});

test('a path that begins with // does not name another host', async () => {
  const { post, seen } = await start((_request, response) => response.writeHead(201).end());
  expect(summary(await post('//127.0.0.1:1/inside'))).toBe('201');
  expect(seen.paths).toEqual(['//127.0.0.1:1/inside']);
});

test('a connection that the peer closed while it was idle costs nothing', async () => {
  const { post, cut, seen } = await start((_request, response) => response.writeHead(201).end());
  for (let round = 0; round < 20; round++) {
    expect(summary(await post())).toBe('201');
    cut();
  }
  expect(seen.requests).toBe(20);
});

test('hanging, cut off, half an answer, no TLS trust: each settles', async () => {
  const { post } = await start(
    (request, response) => {
      if (request.url === '/cut') request.socket.destroy();
      else if (request.url === '/half') {
        response.writeHead(201, { 'content-length': '1000' });
        response.write('half');
        setTimeout(() => request.socket.destroy(), 20);
      } else if (request.url === '/drip') {
        response.writeHead(201);
        response.write('a');
      }
    },
    { deadlineMs: 300 },
  );
  expect(await summaries(['/hang', '/cut', '/half', '/drip'].map((path) => post(path)))).toEqual([
    'timeout',
    'connection',
    '201',
    'timeout',
  ]);
  const distrustful = await start((_request, response) => response.end(), { ca: '' });
  expect(summary(await distrustful.post())).toBe('connection');
  expect(distrustful.seen.requests).toBe(0);
});

test('the deadline counts the wait for a socket; abort and close settle what waits', async () => {
  const { post, pool, seen } = await start(() => undefined, {
    socketsPerOrigin: 2,
    deadlineMs: 300,
  });
  expect(new Set(await summaries(many(10, () => post())))).toEqual(new Set(['timeout']));
  const controller = new AbortController();
  const aborted = many(10, () => post('/a', controller.signal));
  await until('2 on the wire', () => seen.requests >= 4);
  controller.abort();
  expect(new Set(await summaries(aborted))).toEqual(new Set(['aborted']));
  const rest = many(10, () => post());
  await pool.close();
  expect(new Set(await summaries(rest))).toEqual(new Set(['closed']));
  expect(summary(await post())).toBe('closed');
});

test('an answer is read up to 64 KB', async () => {
  const { post } = await start((_request, response) =>
    response.writeHead(500).end('x'.repeat(300_000)),
  );
  const result = await post();
  expect(result.kind === 'answer' && [result.status, result.body.length]).toEqual([500, 65_536]);
  expect(summary(await post())).toBe('500');
});
