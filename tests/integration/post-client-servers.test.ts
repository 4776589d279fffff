import { afterEach, describe, expect, test } from '@jest/globals';
import type { Http2PoolOptions } from '../../services/dispatcher/transports/http2-pool-options.ts';
import { makeCertificate } from '../../services/dispatcher/transports/test-support/certificate.ts';
import { until } from '../../services/dispatcher/transports/test-support/until.ts';
import { describeWhere } from '../support/describe-where.ts';
import {
  type InstalledServer,
  NGHTTPD,
  NGINX,
  startNghttpd,
  startNginx,
} from '../support/installed-http2-servers.ts';
import { CLIENT_NAMES, many, openClient, tally } from '../support/post-clients.ts';

/** The same promises against the HTTP/2 servers that most of the world runs. */

const certificate = makeCertificate();
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const missing = (path: string | undefined, name: string) =>
  path === undefined ? `${name} is not installed on this machine` : undefined;

function closing(server: InstalledServer): InstalledServer {
  cleanups.push(server.close);
  return server;
}

describe.each(CLIENT_NAMES)('%s', (name) => {
  const open = async ({ port }: { port: number }, options: Partial<Http2PoolOptions> = {}) => {
    const started = openClient(name, `https://localhost:${port}`, {
      tls: { ca: certificate.cert },
      ...options,
    });
    cleanups.push(() => started.client.close());
    await started.client.ready;
    return started;
  };

  describeWhere(missing(NGHTTPD, 'nghttpd'), 'nghttpd (nghttp2)', () => {
    test.each([
      ['as it is', []],
      ['1 stream at once', ['-m', '1']],
      ['10 streams at once', ['-m', '10']],
      ['streams with windows of 127 bytes', ['-w', '7']],
      ['padded frames', ['--padding=200']],
      ['no header table on either side', ['-c', '0', '--encoder-header-table-size=0']],
      ['a header table of 100 bytes', ['-c', '100']],
      ['a header table of 64 KiB', ['-c', '65536', '--encoder-header-table-size=65536']],
      ['answers that come before the body', ['--early-response', '-w', '7']],
      ['answers with trailers', ['--trailer=x-checksum: 1']],
      ['bodies that come back', ['--echo-upload']],
    ])('%s: 500 requests, 500 answers', async (_title, options) => {
      const { post } = await open(closing(await startNghttpd(certificate, options)));
      const body = Buffer.alloc(400, 'x');
      const requests = many(500, (i) => post(`/?device=${i}`, { body }));
      expect(await tally(requests)).toEqual({ 200: 500 });
    });

    test('a 404 with its page', async () => {
      const { post } = await open(closing(await startNghttpd(certificate)));
      const exchange = await post('/nowhere');
      expect(exchange).toMatchObject({ kind: 'answer', status: 404 });
      expect(exchange.kind === 'answer' && exchange.body).toContain('404 Not Found');
    });

    test('a large body through small windows', async () => {
      const server = closing(await startNghttpd(certificate, ['-w', '10', '-W', '16']));
      const { post } = await open(server);
      const body = Buffer.alloc(300_000, 'x');
      expect(await tally(many(5, () => post('/', { body })))).toEqual({ 200: 5 });
    });

    test('killed with requests in flight: every one of them settles, none is left', async () => {
      const server = closing(await startNghttpd(certificate, ['-m', '10', '-w', '4']));
      const { post, client } = await open(server, { downAfterMs: 300 });
      const body = Buffer.alloc(20_000, 'x');
      const requests = many(300, () => post('/', { body }));
      await requests[0];
      server.process.kill('SIGKILL');
      const counts = await tally(requests);
      expect((counts['200'] ?? 0) + (counts['connection'] ?? 0)).toBe(300);
      expect(counts['connection']).toBeGreaterThan(0);
      await until('no session', () => client.openSessions === 0);
    });
  });

  describeWhere(missing(NGINX, 'nginx'), 'nginx', () => {
    const LOCATIONS = `
      location /taken { return 201; }
      location /gone { return 410 '{"reason":"gone"}'; }
      location /slow-down { add_header Retry-After 17 always; return 429 'later'; }
      location / { return 404; }`;

    test('its answers: taken, gone with a body, 429 with Retry-After', async () => {
      const { post } = await open(closing(await startNginx(certificate, LOCATIONS)));
      expect(await post('/taken')).toMatchObject({ kind: 'answer', status: 201 });
      expect(await post('/gone')).toEqual({
        kind: 'answer',
        status: 410,
        retryAfter: undefined,
        body: '{"reason":"gone"}',
      });
      expect(await post('/slow-down')).toEqual({
        kind: 'answer',
        status: 429,
        retryAfter: '17',
        body: 'later',
      });
    });

    test.each([1, 10, 100])('%i streams at once: 500 requests, 500 answers', async (streams) => {
      const settings = `http2_max_concurrent_streams ${streams};`;
      const { post } = await open(closing(await startNginx(certificate, LOCATIONS, settings)));
      expect(await tally(many(500, () => post('/taken')))).toEqual({ 201: 500 });
    });

    test('a session that ends after every 50 requests (GOAWAY) loses none of 500', async () => {
      const settings = 'keepalive_requests 50; http2_max_concurrent_streams 10;';
      const server = closing(await startNginx(certificate, LOCATIONS, settings));
      const { post, events } = await open(server);
      expect(await tally(many(500, () => post('/taken')))).toEqual({ 201: 500 });
      expect(events.filter((event) => event.startsWith('draining')).length).toBeGreaterThan(5);
    });

    test('a reload of its configuration in the middle of 2000 requests loses none', async () => {
      const server = closing(await startNginx(certificate, LOCATIONS));
      const { post, events } = await open(server, { sessions: 2, maxStreamsPerSession: 20 });
      const requests = many(2_000, () => post('/taken'));
      await requests[10];
      server.process.kill('SIGHUP');
      const counts = await tally(requests);
      expect(counts['201']).toBe(2_000);
      await until('sessions were replaced', () =>
        events.some((each) => each.startsWith('draining')),
      );
      expect(await tally(many(20, () => post('/taken')))).toEqual({ 201: 20 });
    });
  });
});
