import { getEventListeners, once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Exchange } from '../../services/dispatcher/transports/exchange.ts';
import { makeExpiredCertificate } from '../../services/dispatcher/transports/framed-http2/test-support/expired-certificate.ts';
import {
  data,
  frame,
  goaway,
  headers,
  settings,
  settingsAck,
} from '../../services/dispatcher/transports/framed-http2/test-support/peer-frames.ts';
import type { Http2PoolOptions } from '../../services/dispatcher/transports/http2-pool-options.ts';
import { makeCertificate } from '../../services/dispatcher/transports/test-support/certificate.ts';
import {
  answer,
  Http2Provider,
  type ProviderRequest,
} from '../../services/dispatcher/transports/test-support/http2-provider.ts';
import { until } from '../../services/dispatcher/transports/test-support/until.ts';
import { CLIENT_NAMES, many, openClient, summaryOf, tally } from '../support/post-clients.ts';
import { type Script, ScriptedHttp2Server } from '../support/scripted-http2-server.ts';
import { TcpFaultProxy } from '../support/tcp-fault-proxy.ts';

/** What is promised of every HTTP/2 client, against Node's own server, against scripted peers, over bad links. */

const certificate = makeCertificate();
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.each(CLIENT_NAMES)('%s', (name) => {
  function open(port: number, options: Partial<Http2PoolOptions> = {}, host = 'localhost') {
    const started = openClient(name, `https://${host}:${port}`, {
      tls: { ca: certificate.cert },
      ...options,
    });
    cleanups.push(() => started.client.close());
    return started;
  }

  async function start(
    onRequest: (request: ProviderRequest) => void,
    options: Partial<Http2PoolOptions> = {},
    serverSettings: ConstructorParameters<typeof Http2Provider>[2] = {},
  ) {
    const provider = new Http2Provider(certificate, onRequest, serverSettings);
    const port = await provider.listen();
    cleanups.push(() => provider.close());
    const started = open(port, options);
    await started.client.ready;
    return { provider, port, ...started };
  }

  async function startScripted(script: Script, options: Partial<Http2PoolOptions> = {}) {
    const server = await ScriptedHttp2Server.start(certificate, script);
    cleanups.push(() => server.close());
    return { server, ...open(server.port, options) };
  }

  const ok = (request: ProviderRequest) => answer(request, 200);

  describe('answers of a server on Node', () => {
    test('carries path, headers, length and body', async () => {
      const { provider, post } = await start(ok);
      await post('/v1/send?device=1');
      expect(provider.requests[0]).toMatchObject({
        body: 'body of /v1/send?device=1',
        headers: {
          ':method': 'POST',
          ':path': '/v1/send?device=1',
          ':scheme': 'https',
          authorization: 'vapid t=token, k=key',
          'content-length': '25',
        },
      });
    });

    test.each([
      [200, {}, undefined],
      [201, {}, undefined],
      [404, { error: 'UNREGISTERED' }, undefined],
      [410, {}, undefined],
      [429, { wait: true }, '17'],
      [503, { é: 'ü' }, 'Fri, 31 Dec 1999 23:59:59 GMT'],
    ])('%i', async (status, body, retryAfter) => {
      const extra = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      const { post } = await start((request) => answer(request, status, body, extra));
      const text = status < 300 ? '' : JSON.stringify(body);
      expect(await post()).toEqual({ kind: 'answer', status, retryAfter, body: text });
    });

    test('an answer is read up to 64 KiB; the status counts', async () => {
      const { post, provider } = await start((request) =>
        answer(request, 500, 'x'.repeat(300_000)),
      );
      for (const exchange of await Promise.all(many(5, () => post()))) {
        expect(exchange).toMatchObject({ kind: 'answer', status: 500 });
        expect(exchange.kind === 'answer' && exchange.body.length).toBe(64 * 1024);
      }
      await until('the streams are closed', () => provider.open === 0);
    });

    test('interim answers and trailers are read around', async () => {
      const { post } = await start(({ stream }) => {
        stream.additionalHeaders({ ':status': 103, link: '</a>' });
        stream.respond({ ':status': 429, 'retry-after': '3' }, { waitForTrailers: true });
        stream.once('wantTrailers', () => stream.sendTrailers({ 'x-checksum': '1' }));
        stream.end('later');
      });
      expect(await post()).toEqual({ kind: 'answer', status: 429, retryAfter: '3', body: 'later' });
    });

    test('headers of 10 KiB are read', async () => {
      const { post } = await start((request) =>
        answer(request, 429, {}, { 'x-long': 'y'.repeat(10_000), 'retry-after': '5' }),
      );
      expect(await post()).toMatchObject({ status: 429, retryAfter: '5' });
    });

    test('headers without end cost their request at most, and the next one is answered', async () => {
      const { post, server } = await startScripted(
        {
          onConnection: ({ send }) => send(settings(), settingsAck()),
          onRequest: ({ send }, streamId) => {
            if (server.connections > 2) return send(headers(streamId, { ':status': '200' }));
            send(frame(1, 0, streamId, Buffer.alloc(0)));
            for (let i = 0; i < 20; i++) send(frame(9, 0, streamId, Buffer.alloc(16_000, 0x88)));
          },
        },
        { deadlineMs: 2_000 },
      );
      expect(await tally([post(), post()])).not.toHaveProperty('200');
      await until('an answer', () => server.connections > 2);
      expect(summaryOf(await post())).toBe('200');
    });
  });

  describe('limits of the server', () => {
    test.each([1, 10, 100])(
      '%i streams at once: 300 requests, never more than that open',
      async (limit) => {
        const { provider, post } = await start(
          (request) => setImmediate(() => answer(request, 200)),
          { sessions: 1 },
          { maxConcurrentStreams: limit },
        );
        expect(await tally(many(300, () => post()))).toEqual({ 200: 300 });
        expect(provider.mostOpen).toBeLessThanOrEqual(limit);
        expect(provider.sessionsSeen).toBe(1);
      },
    );

    test.each([1, 100, 65_535])(
      'windows of %i bytes: bodies arrive whole',
      async (initialWindowSize) => {
        const { post, provider } = await start(ok, {}, { initialWindowSize });
        const body = Buffer.from('0123456789'.repeat(initialWindowSize === 1 ? 30 : 20_000));
        expect(await tally(many(5, () => post('/x', { body })))).toEqual({ 200: 5 });
        for (const request of provider.requests) expect(request.body).toBe(body.toString());
      },
    );

    test.each([1, 7, 65_535])(
      'windows of %i bytes: a body and the tail that all share arrive as one',
      async (initialWindowSize) => {
        const { post, provider } = await start(ok, {}, { initialWindowSize });
        const tail = Buffer.from('}'.repeat(initialWindowSize < 10 ? 20 : 90_000));
        const bodies = ['{"a"', '', '{"longer than a window"'];
        const requests = bodies.map((text) => post('/x', { body: Buffer.from(text), tail }));
        expect(await tally(requests)).toEqual({ 200: 3 });
        expect(provider.requests.map(({ body }) => body).sort()).toEqual(
          bodies.map((text) => `${text}${tail}`).sort(),
        );
        for (const { headers: sent, body } of provider.requests)
          expect(sent['content-length']).toBe(String(body.length));
      },
    );

    test.each([0, 64, 65_536])('a header table of %i bytes', async (headerTableSize) => {
      const { post, provider } = await start(ok, { sessions: 1 }, { headerTableSize });
      expect(await tally(many(50, (i) => post(`/${i}`)))).toEqual({ 200: 50 });
      const tokens = new Set(provider.requests.map(({ headers: sent }) => sent.authorization));
      expect([...tokens]).toEqual(['vapid t=token, k=key']);
    });

    test('settings that change in the middle hold for what comes after', async () => {
      const { post, provider, client } = await start(ok, { sessions: 1 });
      const requests = many(200, () => post());
      await requests[0];
      for (const session of provider.sessions)
        session.settings({ maxConcurrentStreams: 2, initialWindowSize: 5, headerTableSize: 0 });
      await until('the new limit', () => client.capacity === 2);
      requests.push(...many(50, () => post('/after')));
      expect(await tally(requests)).toEqual({ 200: 250 });
      for (const session of provider.sessions)
        session.settings({ maxConcurrentStreams: 50, headerTableSize: 4_096 });
      await until('the newest limit', () => client.capacity === 50);
      expect(await tally(many(50, () => post()))).toEqual({ 200: 50 });
    });

    test('a server that answers without reading the body', async () => {
      const { post, provider } = await start(() => undefined, {}, { initialWindowSize: 100 });
      provider.server.removeAllListeners('stream');
      provider.server.on('stream', (stream) => {
        stream.on('error', () => undefined);
        stream.respond({ ':status': 413 });
        stream.end('too large', () => stream.close());
      });
      const body = Buffer.alloc(50_000);
      expect(await tally(many(20, () => post('/x', { body })))).toEqual({ 413: 20 });
    });

    test('its PINGs are answered', async () => {
      const { provider } = await start(ok);
      await until('a session', () => provider.sessions.size > 0);
      const [session] = provider.sessions;
      expect(await new Promise((resolve) => session?.ping((error) => resolve(error)))).toBeNull();
    });
  });

  describe('GOAWAY and resets', () => {
    test('a graceful GOAWAY loses nothing, at no moment', async () => {
      const { provider, post } = await start((request) =>
        setTimeout(() => answer(request, 200), 2),
      );
      const requests = many(300, () => post());
      for (let i = 0; i < 5; i++) {
        const answered = provider.requests.length;
        await until('more requests', () => provider.requests.length > Math.min(answered + 20, 290));
        for (const session of provider.sessions) session.close();
        requests.push(...many(50, () => post()));
      }
      expect(await tally(requests)).toEqual({ 200: 550 });
      expect(provider.sessionsSeen).toBeGreaterThan(2);
    });

    test('streams above the last id of a GOAWAY were not processed: they are answered elsewhere', async () => {
      const { post, server } = await startScripted(
        {
          onConnection: ({ send }) => send(settings(), settingsAck()),
          onRequest: ({ send }, streamId) => {
            if (server.connections > 1 || streamId <= 5)
              send(headers(streamId, { ':status': '200' }));
            else if (streamId === 19) send(goaway(5));
          },
        },
        { sessions: 1, deadlineMs: 5_000 },
      );
      expect(await tally(many(10, () => post()))).toEqual({ 200: 10 });
      expect(server.connections).toBe(2);
    });

    test('an abrupt GOAWAY and end settles what it covers, and sends the rest again', async () => {
      let seen = 0;
      const { provider, post } = await start(
        (request) => {
          seen++;
          if (provider.sessionsSeen > 1) answer(request, 200);
          else if (seen === 10) request.stream.session?.goaway(2, 5);
        },
        { sessions: 1 },
      );
      expect(await tally(many(10, () => post()))).toEqual({ 200: 7, connection: 3 });
    });

    test('a server that ends its sessions after 200 requests each costs handshakes, no pauses', async () => {
      let answered = 0;
      const { post, server } = await startScripted(
        {
          onConnection: ({ send }) => send(settings(), settingsAck()),
          onRequest: ({ send }, streamId) => {
            send(headers(streamId, { ':status': '201' }));
            if (++answered % 200 === 0) send(goaway(streamId));
          },
        },
        { maxStreamsPerSession: 20, reconnect: { firstMs: 5_000, maxMs: 5_000 } },
      );
      expect(await tally(many(2_000, () => post()))).toEqual({ 201: 2_000 });
      expect(server.connections).toBeGreaterThanOrEqual(9);
    });

    test('closed while it connects: nothing is thrown, whatever the connection then says', async () => {
      for (let waitMs = 0; waitMs < 8; waitMs++) {
        const { client, port } = await start((request) => answer(request, 200), { sessions: 1 });
        const { client: early } = open(port, { sessions: 4 });
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        await Promise.all([early.close(), client.close()]);
      }
    });

    test('a session that is told to go away again and again gives up: each request goes to few', async () => {
      const { post, server } = await startScripted(
        {
          onConnection: ({ send }) => send(settings(), settingsAck()),
          onRequest: ({ send }) => send(goaway(0)),
        },
        { sessions: 1 },
      );
      expect(await tally([post()])).toEqual({ connection: 1 });
      expect(server.connections).toBeLessThan(10);
    });

    test('a reset settles its request alone; a refused one is sent again', async () => {
      const { provider, post } = await start((request) => {
        const path = request.headers[':path'];
        if (path === '/reset') request.stream.close(2);
        else if (path === '/refused' && provider.requests.length < 6) request.stream.close(7);
        else if (path === '/calm' && provider.requests.length < 6) request.stream.close(11);
        else if (path === '/half') {
          request.stream.respond({ ':status': 503 });
          request.stream.write('cut o');
          setTimeout(() => request.stream.close(2), 10);
        } else ok(request);
      });
      const paths = ['/reset', '/refused', '/calm', '/ok', '/half'];
      const results = await Promise.all(paths.map((path) => post(path)));
      expect(results.map(summaryOf)).toEqual(['connection', '200', '200', '200', '503']);
    });
  });

  describe('peers and links that are not well', () => {
    test('a server that never answers costs the deadline and nothing else', async () => {
      const { provider, client, post } = await start(
        (request) => request.headers[':path'] === '/ok' && ok(request),
        { deadlineMs: 200, sessions: 1 },
        { maxConcurrentStreams: 10 },
      );
      expect(await tally(many(10, () => post('/hang')))).toEqual({ timeout: 10 });
      await until('streams are given back', () => provider.open === 0);
      expect(summaryOf(await post('/ok'))).toBe('200');
      expect(client.openSessions).toBe(1);
    });

    test('one that hangs among a hundred holds nobody up', async () => {
      const { post } = await start(
        (request) => request.headers[':path'] !== '/hang' && ok(request),
        { deadlineMs: 1_500, sessions: 1 },
      );
      const hanging = post('/hang');
      const startedAtMs = performance.now();
      // Many times as many as streams are open: places are taken again while one of them never comes free.
      expect(await tally(many(2_000, () => post()))).toEqual({ 200: 2_000 });
      expect(performance.now() - startedAtMs).toBeLessThan(1_500);
      expect(summaryOf(await hanging)).toBe('timeout');
    });

    test('a half-open link is found out by PING before the deadline, and replaced', async () => {
      const provider = new Http2Provider(certificate, ok);
      cleanups.push(() => provider.close());
      const target = { host: '127.0.0.1', port: await provider.listen() };
      const proxy = await TcpFaultProxy.start(target);
      cleanups.push(() => proxy.close());
      const { post, events } = open(proxy.port, {
        ...{ sessions: 1, busyPingMs: 100, pingTimeoutMs: 150, connectTimeoutMs: 300 },
      });
      expect(summaryOf(await post())).toBe('200');
      proxy.set({ halfOpen: true });
      const startedAtMs = performance.now();
      expect(await tally(many(20, () => post()))).toEqual({ connection: 20 });
      expect(performance.now() - startedAtMs).toBeLessThan(3_000);
      expect(events).toContain('lost: PING was not answered');
      proxy.set({});
      await until(
        'a new session',
        () => events.filter((each) => each.startsWith('opened')).length > 1,
      );
      expect(summaryOf(await post())).toBe('200');
    });

    test('answers that are lost on the way settle; so do requests that are', async () => {
      const provider = new Http2Provider(certificate, ok);
      cleanups.push(() => provider.close());
      const target = { host: '127.0.0.1', port: await provider.listen() };
      const proxy = await TcpFaultProxy.start(target);
      cleanups.push(() => proxy.close());
      const { post } = open(proxy.port, { busyPingMs: 100, pingTimeoutMs: 150 });
      expect(summaryOf(await post())).toBe('200');
      for (const fault of [
        { cutBeforeAnswer: true },
        { onlyTo: 'server' },
        { onlyTo: 'client' },
      ] as const) {
        proxy.set(fault);
        const counts = await tally(many(20, () => post()));
        expect(counts).toEqual({ connection: 20 });
        proxy.set({ cut: true });
        proxy.set({});
        await until('it works again', () => proxy.connections > 0);
        await post();
      }
    });

    test('a link that is reset with 100 requests in flight settles all 100, and is made anew', async () => {
      const provider = new Http2Provider(certificate, (request) => {
        if (request.headers[':path'] === '/ok') ok(request);
      });
      cleanups.push(() => provider.close());
      const target = { host: '127.0.0.1', port: await provider.listen() };
      const proxy = await TcpFaultProxy.start(target);
      cleanups.push(() => proxy.close());
      const { post } = open(proxy.port);
      const requests = many(100, () => post());
      await until('100 in flight', () => provider.requests.length === 100);
      proxy.set({ cut: true });
      proxy.set({});
      expect(await tally(requests)).toEqual({ connection: 100 });
      expect(summaryOf(await post('/ok'))).toBe('200');
    });

    test('a slow link with jitter loses nothing', async () => {
      const provider = new Http2Provider(certificate, ok);
      cleanups.push(() => provider.close());
      const target = { host: '127.0.0.1', port: await provider.listen() };
      const proxy = await TcpFaultProxy.start(target);
      cleanups.push(() => proxy.close());
      proxy.set({ delayMs: 10, jitterMs: 20, bytesPerSecond: 1_000_000 });
      const { post } = open(proxy.port);
      expect(await tally(many(200, () => post()))).toEqual({ 200: 200 });
    });

    test('answers that trickle in byte by byte are read', async () => {
      const trickle = (send: (bytes: Uint8Array) => void, bytes: Buffer) => {
        if (bytes.length === 0) return;
        send(bytes.subarray(0, 1));
        setImmediate(() => trickle(send, bytes.subarray(1)));
      };
      const { post } = await startScripted({
        onConnection: ({ send }) => send(settings(), settingsAck()),
        onRequest: ({ send }, streamId) => {
          const head = headers(streamId, { ':status': '429', 'retry-after': '9' }, false);
          trickle(send, Buffer.concat([head, data(streamId, 'wait', true)]));
        },
      });
      expect(await post()).toEqual({ kind: 'answer', status: 429, retryAfter: '9', body: 'wait' });
    });

    test('SETTINGS that come late are waited for', async () => {
      const { post, client } = await startScripted({
        onConnection: ({ send }) => setTimeout(() => send(settings([3, 5]), settingsAck()), 300),
        onRequest: ({ send }, streamId) => send(headers(streamId, { ':status': '200' })),
      });
      const requests = many(20, () => post());
      expect(client.capacity).toBe(0);
      expect(await tally(requests)).toEqual({ 200: 20 });
      expect(client.capacity).toBeLessThanOrEqual(10);
    });

    test('a peer that takes the connection and says nothing is given up; requests fail soon', async () => {
      const { post, events } = await startScripted({}, { connectTimeoutMs: 100, downAfterMs: 300 });
      expect(await tally(many(20, () => post()))).toEqual({ connection: 20 });
      expect(events).toContain('lost: no connection in time');
    });

    test('a peer that does not speak HTTP/2 at all ends the session, not the program', async () => {
      const { post, server } = await startScripted(
        {
          onConnection: ({ send }) =>
            send(Buffer.from('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')),
        },
        { downAfterMs: 300 },
      );
      expect(await tally(many(20, () => post()))).toEqual({ connection: 20 });
      expect(server.connections).toBeGreaterThan(2);
    });

    test('a peer that breaks the protocol with requests in flight settles all of them', async () => {
      const { post } = await startScripted(
        {
          onConnection: ({ send }) => send(settings(), settingsAck()),
          onRequest: ({ send }) => send(frame(5, 4, 1, Buffer.alloc(8))),
        },
        { downAfterMs: 300 },
      );
      const counts = await tally(many(50, () => post()));
      expect(counts).toEqual({ connection: 50 });
    });

    test('a server killed with 100 requests in flight settles all 100', async () => {
      const { provider, post } = await start(() => undefined, { deadlineMs: 5_000 });
      const requests = many(100, () => post());
      await until('100 in flight', () => provider.requests.length === 100);
      const startedAtMs = performance.now();
      await provider.close();
      cleanups.splice(0, 1);
      expect(await tally(requests)).toEqual({ connection: 100 });
      expect(performance.now() - startedAtMs).toBeLessThan(2_000);
    });

    test('with no server at all requests fail soon, and work again when it is back', async () => {
      const { provider, client, post, port } = await start(ok, { downAfterMs: 100 });
      await provider.close();
      cleanups.splice(0, 1);
      await until('no session', () => client.openSessions === 0);
      expect(await tally(many(20, () => post()))).toEqual({ connection: 20 });
      expect(client.capacity).toBe(0);
      const again = new Http2Provider(certificate, ok);
      await again.listen(port);
      cleanups.unshift(() => again.close());
      await until('a session', () => client.openSessions > 0);
      expect(summaryOf(await post())).toBe('200');
    });
  });

  describe('servers that are not the right ones', () => {
    async function refused(port: number, options: Partial<Http2PoolOptions>, host?: string) {
      const { post, client } = open(port, { downAfterMs: 200, ...options }, host);
      const startedAtMs = performance.now();
      expect(await tally(many(5, () => post()))).toEqual({ connection: 5 });
      expect(performance.now() - startedAtMs).toBeLessThan(3_000);
      expect(client.capacity).toBe(0);
    }

    test('an unknown authority, another name: nothing is sent', async () => {
      const { provider, port } = await start(ok);
      await refused(port, { tls: {} });
      await refused(port, {}, '127.0.0.1');
      expect(provider.requests).toEqual([]);
    });

    test('an expired certificate: nothing is sent', async () => {
      const expired = makeExpiredCertificate();
      const provider = new Http2Provider(expired, ok);
      cleanups.push(() => provider.close());
      await refused(await provider.listen(), { tls: { ca: expired.cert } });
      expect(provider.requests).toEqual([]);
    });

    test.each([['http/1.1'], [undefined]])('a server that offers %s alone', async (protocol) => {
      const server = createHttpsServer({
        ...certificate,
        ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      cleanups.push(async () => {
        server.closeAllConnections();
        server.close();
      });
      await refused((server.address() as AddressInfo).port, {});
    });
  });

  describe('the caller', () => {
    test('the queue is bounded: what does not fit is refused at once', async () => {
      const { post, provider } = await start(
        () => undefined,
        { sessions: 1, maxQueued: 5, deadlineMs: 300 },
        { maxConcurrentStreams: 2 },
      );
      expect(await tally(many(10, () => post()))).toEqual({ timeout: 7, overloaded: 3 });
      expect(provider.requests.length).toBeLessThanOrEqual(7);
    });

    test('abort settles at once, in the queue and on the wire; close settles the rest', async () => {
      const { post, client, provider } = await start(
        () => undefined,
        { sessions: 1 },
        { maxConcurrentStreams: 2 },
      );
      const controller = new AbortController();
      const aborted = many(4, () => post('/a', { signal: controller.signal }));
      await until('2 on the wire', () => provider.requests.length === 2);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
      controller.abort();
      expect(await tally(aborted)).toEqual({ aborted: 4 });
      expect(summaryOf(await post('/a', { signal: controller.signal }))).toBe('aborted');
      const rest = many(4, () => post('/b'));
      await until('2 more on the wire', () => provider.requests.at(-2)?.headers[':path'] === '/b');
      await client.close();
      expect(await tally(rest)).toEqual({ closed: 4 });
      expect(summaryOf(await post())).toBe('closed');
      expect(client.capacity).toBe(0);
    });

    test('closing before the first connection resolves `ready` and settles what waits', async () => {
      const { post, client } = await startScripted({});
      const waiting = many(3, () => post());
      await client.close();
      await client.ready;
      expect(await tally(waiting)).toEqual({ closed: 3 });
    });

    test('each answer may begin the next request: a chain of 500 from one settle to the next', async () => {
      const { client } = await start(ok, { sessions: 1 });
      const signal = new AbortController().signal;
      const kinds: string[] = [];
      await new Promise<void>((resolve) => {
        const next = (exchange?: Exchange) => {
          if (exchange !== undefined) kinds.push(summaryOf(exchange));
          if (kinds.length === 500) resolve();
          else client.post({ path: '/x', headers: {}, body: new Uint8Array(), signal }, next);
        };
        next();
      });
      expect(new Set(kinds)).toEqual(new Set(['200']));
    });

    test('headers of several kinds at once, renewed tokens: each request has its own', async () => {
      const { post, provider } = await start(ok, { sessions: 1 });
      const sets = many(40, (i) => ({ authorization: `token ${i}`.padEnd(200, '.'), ttl: `${i}` }));
      const requests = many(400, (i) => post(`/${i % 40}`, { headers: sets[i % 40] ?? {} }));
      expect(await tally(requests)).toEqual({ 200: 400 });
      for (const { headers: sent } of provider.requests) {
        const which = sent[':path']?.slice(1);
        expect(sent).toMatchObject({
          ttl: which,
          authorization: `token ${which}`.padEnd(200, '.'),
        });
      }
    });
  });
});
