import { afterEach, expect, test } from '@jest/globals';
import type { Exchange } from './exchange.ts';
import { Http2Pool } from './http2-pool.ts';
import { HTTP2_POOL_DEFAULTS, type Http2PoolOptions } from './http2-pool-options.ts';
import { makeCertificate } from './test-support/certificate.ts';
import { answer, Http2Provider, type ProviderRequest } from './test-support/http2-provider.ts';
import { posted } from './test-support/promised.ts';
import { Relay } from './test-support/relay.ts';
import { until } from './test-support/until.ts';

/** The promises that it shares with the other HTTP/2 client are in tests/integration/post-client.test.ts, too. */

const certificate = makeCertificate();
const never = new AbortController().signal;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(
  onRequest: (request: ProviderRequest) => void,
  options: Partial<Http2PoolOptions> & { maxConcurrentStreams?: number } = {},
) {
  const { maxConcurrentStreams = 100, ...poolOptions } = options;
  const provider = new Http2Provider(certificate, onRequest, { maxConcurrentStreams });
  const port = await provider.listen();
  cleanups.push(() => provider.close());
  const started = startPool(`https://localhost:${port}`, poolOptions);
  await started.pool.ready;
  return { provider, port, ...started };
}

function startPool(origin: string, options: Partial<Http2PoolOptions>) {
  const events: string[] = [];
  const pool = new Http2Pool(
    {
      ...HTTP2_POOL_DEFAULTS,
      sessions: 2,
      origin,
      tls: { ca: certificate.cert },
      reconnect: { firstMs: 10, maxMs: 50 },
      ...options,
    },
    { random: Math.random, onConnection: (event, detail) => events.push(`${event}: ${detail}`) },
  );
  cleanups.push(() => pool.close());
  const post = (path = '/x', signal = never) =>
    posted(pool, {
      path,
      headers: { authorization: 'Bearer t' },
      body: Buffer.from(`body of ${path}`),
      signal,
    });
  return { pool, post, events };
}

const summary = (exchange: Exchange) =>
  exchange.kind === 'answer' ? String(exchange.status) : exchange.reason;

async function tally(requests: readonly Promise<Exchange>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const exchange of await Promise.all(requests))
    counts[summary(exchange)] = (counts[summary(exchange)] ?? 0) + 1;
  return counts;
}

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

test('carries method, path, headers and body, and gives back status, body and Retry-After', async () => {
  const { provider, post } = await start((request) =>
    answer(request, 429, { wait: true }, { 'retry-after': '7' }),
  );
  expect(await post('/v1/send')).toEqual({
    kind: 'answer',
    status: 429,
    retryAfter: '7',
    body: '{"wait":true}',
  });
  const request = provider.requests[0];
  expect(request?.headers).toMatchObject({
    ':method': 'POST',
    ':path': '/v1/send',
    ':scheme': 'https',
    authorization: 'Bearer t',
  });
  expect(request?.body).toBe('body of /v1/send');
});

test('obeys a stream limit of 3: 50 requests all arrive, never more than 3 on a session', async () => {
  const { provider, post } = await start((request) => setTimeout(() => answer(request, 200), 5), {
    maxConcurrentStreams: 3,
    sessions: 1,
  });
  expect(await tally(many(50, () => post()))).toEqual({ 200: 50 });
  expect(provider.mostOpen).toBeLessThanOrEqual(3);
  expect(provider.sessionsSeen).toBe(1);
});

test('a graceful GOAWAY loses nothing: what it covers is answered there, the rest goes to a new session', async () => {
  const held: ProviderRequest[] = [];
  let released = false;
  const { provider, post } = await start(
    (request) => {
      if (released) answer(request, 200);
      else held.push(request);
    },
    { sessions: 1 },
  );
  const requests = many(20, () => post());
  await until('20 requests arrived', () => held.length === 20);
  released = true;
  for (const session of provider.sessions) session.close();
  const later = many(10, () => post());
  for (const request of held) answer(request, 200);
  expect(await tally([...requests, ...later])).toEqual({ 200: 30 });
  expect(provider.sessionsSeen).toBeGreaterThanOrEqual(2);
});

test('GOAWAY with a last stream id: streams above it were not processed and are sent again elsewhere', async () => {
  let seen = 0;
  const { provider, post } = await start(
    (request) => {
      seen++;
      if (provider.sessionsSeen > 1) answer(request, 200);
      // Streams 1, 3, 5 … on the first session: says that nothing above 5 was processed.
      else if (seen === 10) request.stream.session?.goaway(0, 5);
    },
    { sessions: 1, deadlineMs: 3_000 },
  );
  const counts = await tally(many(10, () => post()));
  expect(counts).toEqual({ 200: 7, timeout: 3 });
});

test('a stream that is reset in the middle settles alone; REFUSED_STREAM is sent again', async () => {
  const { provider, post } = await start((request) => {
    if (request.headers[':path'] === '/reset') request.stream.close(2);
    else if (request.headers[':path'] === '/refused' && provider.requests.length < 4)
      request.stream.close(7);
    else if (request.headers[':path'] === '/half') {
      request.stream.respond({ ':status': 503 });
      request.stream.write('cut o');
      setTimeout(() => request.stream.close(2), 10);
    } else answer(request, 200);
  });
  const results = await Promise.all([post('/reset'), post('/refused'), post('/ok'), post('/half')]);
  expect(results.map(summary)).toEqual(['connection', '200', '200', '503']);
});

test('a provider that never answers costs the deadline and nothing else', async () => {
  const { provider, pool, post } = await start(
    (request) => request.headers[':path'] === '/ok' && answer(request, 200),
    { deadlineMs: 200, sessions: 1, maxConcurrentStreams: 10 },
  );
  expect(await tally(many(10, () => post('/hang')))).toEqual({ timeout: 10 });
  await until('streams are given back', () => provider.open === 0);
  expect(summary(await post('/ok'))).toBe('200');
  expect(pool.openSessions).toBe(1);
});

test('a link that is half open is found out by PING before the deadline, and replaced', async () => {
  const provider = new Http2Provider(certificate, (request) => answer(request, 200));
  const relay = new Relay(await provider.listen());
  cleanups.push(() => provider.close());
  const origin = `https://localhost:${await relay.listen()}`;
  cleanups.push(() => relay.close());
  const { post, events } = startPool(origin, {
    sessions: 1,
    busyPingMs: 100,
    pingTimeoutMs: 150,
  });
  expect(summary(await post())).toBe('200');
  relay.goSilent();
  const startedAtMs = performance.now();
  expect(await tally(many(20, () => post()))).toEqual({ connection: 20 });
  expect(performance.now() - startedAtMs).toBeLessThan(3_000);
  expect(events).toContain('lost: PING was not answered');
  expect(summary(await post())).toBe('200');
  expect(provider.sessionsSeen).toBe(2);
});

test('a provider killed with 100 requests in flight settles all 100', async () => {
  const { provider, post } = await start(() => undefined, { deadlineMs: 5_000 });
  const requests = many(100, () => post());
  await until('100 in flight', () => provider.requests.length === 100);
  const startedAtMs = performance.now();
  await provider.close();
  cleanups.splice(0, 1);
  expect(await tally(requests)).toEqual({ connection: 100 });
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
});

test('with no provider at all requests fail soon, and work again when it is back', async () => {
  const { provider, pool, post, port } = await start((request) => answer(request, 200), {
    downAfterMs: 100,
  });
  await provider.close();
  cleanups.splice(0, 1);
  await until('no session', () => pool.openSessions === 0);
  expect(await tally(many(20, () => post()))).toEqual({ connection: 20 });
  const again = new Http2Provider(certificate, (request) => answer(request, 200));
  await again.listen(port);
  cleanups.unshift(() => again.close());
  await until('a session', () => pool.openSessions > 0);
  expect(summary(await post())).toBe('200');
});

test('a peer with another certificate is never sent anything', async () => {
  const { pool, post, provider } = await start((request) => answer(request, 200), {
    downAfterMs: 100,
  });
  const stranger = new Http2Pool(
    {
      ...HTTP2_POOL_DEFAULTS,
      origin: `https://localhost:${(provider.server.address() as { port: number }).port}`,
      downAfterMs: 100,
      reconnect: { firstMs: 10, maxMs: 50 },
    },
    { random: Math.random, onConnection: () => undefined },
  );
  cleanups.push(() => stranger.close());
  const result = await posted(stranger, {
    path: '/',
    headers: {},
    body: Buffer.alloc(0),
    signal: never,
  });
  expect(summary(result)).toBe('connection');
  expect(provider.requests).toHaveLength(0);
  expect(summary(await post())).toBe('200');
  await pool.close();
});

test('the queue is bounded: what does not fit is refused at once', async () => {
  const { post, provider } = await start(() => undefined, {
    sessions: 1,
    maxConcurrentStreams: 2,
    maxQueued: 5,
    deadlineMs: 300,
  });
  const requests = many(10, () => post());
  expect(await tally(requests)).toEqual({ timeout: 7, overloaded: 3 });
  // Two at first; one that waited may still get the place of one that timed out. What was refused never comes.
  expect(provider.requests.length).toBeLessThanOrEqual(7);
});

test('abort settles at once, in the queue and on the wire; close settles the rest', async () => {
  const { post, pool, provider } = await start(() => undefined, {
    sessions: 1,
    maxConcurrentStreams: 2,
  });
  const controller = new AbortController();
  const aborted = many(4, () => post('/a', controller.signal));
  await until('2 on the wire', () => provider.requests.length === 2);
  controller.abort();
  expect(await tally(aborted)).toEqual({ aborted: 4 });
  expect(summary(await post('/a', controller.signal))).toBe('aborted');
  const rest = many(4, () => post('/b'));
  await until('2 more on the wire', () => provider.requests.at(-2)?.headers[':path'] === '/b');
  await pool.close();
  expect(await tally(rest)).toEqual({ closed: 4 });
  expect(summary(await post())).toBe('closed');
});

test('an answer is read up to 64 KB; the status counts', async () => {
  const { post } = await start((request) => answer(request, 500, 'x'.repeat(300_000)));
  const result = await post();
  expect(result).toMatchObject({ kind: 'answer', status: 500 });
  expect(result.kind === 'answer' && result.body.length).toBe(64 * 1024);
  expect(summary(await post())).toBe('500');
});
