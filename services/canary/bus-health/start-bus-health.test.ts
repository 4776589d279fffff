import { afterEach, expect, jest, test } from '@jest/globals';
import { SiteBus } from '../../../shared/bus/site-bus.ts';
import { listen } from '../../../shared/http/listen.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import { eventually } from '../../../tests/support/edge.ts';
import { startNats, type TestNats } from '../../../tests/support/nats-server.ts';
import { startBusHealth } from './start-bus-health.ts';

jest.setTimeout(60_000);

const log = createLogger('canary', 'a', 'silent');
const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function watch(...monitorUrls: string[]) {
  const stop = new AbortController();
  const registry = createMetricsRegistry('canary', 'a');
  const sites = [{ site: 'a', monitorUrl: monitorUrls.join(',') }];
  const health = startBusHealth(
    { sites, everyMs: 50 },
    { registry, log, wallNow: Date.now, signal: stop.signal },
  );
  ends.push(async () => {
    stop.abort();
    await health.running;
  });
  /** Lines without the labels that all of a service have. */
  const lines = async () =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('canary_bus_'))
      .map((line) => line.replaceAll(/,?(?:server|service|node)="[^"]*"/g, ''));
  return { lines, states: health.states };
}

async function nats(options: Parameters<typeof startNats>[0] = {}): Promise<TestNats> {
  const server = await startNats(options);
  ends.push(() => server.close());
  return server;
}

async function createStreams({ url, monitorUrl }: TestNats): Promise<void> {
  const bus = new SiteBus(
    {
      site: { site: 'a', url, monitorUrl, replicas: 1 },
      clientName: 'test',
      streams: ['ALERTS', 'REGISTRY', 'RECEIPTS'],
      allowUnsynced: true,
    },
    log,
  );
  ends.push(() => bus.close());
  await eventually('the streams are there', () => bus.ready);
  await bus.publish('registry.x', 'y'.repeat(1_000), { timeoutMs: 2_000 });
}

test('a real server: health, sync, each of our streams with its bytes and limit, and the one that is missing', async () => {
  const server = await nats();
  await createStreams(server);
  const { lines } = watch(server.monitorUrl);
  await eventually('it was seen', async () => (await lines()).length > 10);
  const seen = await lines();
  expect(seen).toEqual(
    expect.arrayContaining([
      'canary_bus_up{bus="a"} 1',
      'canary_bus_healthy{bus="a"} 1',
      'canary_bus_sync_always{bus="a"} 1',
      'canary_bus_storage_limit_bytes{bus="a"} 8589934592',
      'canary_bus_last_error_timestamp_seconds{bus="a"} 0',
      'canary_bus_stream_present{bus="a",stream="ALERTS"} 1',
      'canary_bus_stream_present{bus="a",stream="PROOFS"} 0',
      'canary_bus_stream_messages{bus="a",stream="REGISTRY"} 1',
      'canary_bus_stream_limit_bytes{bus="a",stream="REGISTRY"} 4294967296',
      'canary_bus_stream_pending_messages{bus="a",stream="REGISTRY"} 0',
    ]),
  );
  expect(seen.find((line) => line.startsWith('canary_bus_connections'))).toMatch(/ 1$/);
  const bytes = seen.find((line) =>
    line.startsWith('canary_bus_stream_bytes{bus="a",stream="REGISTRY"'),
  );
  expect(Number(bytes?.split(' ')[1])).toBeGreaterThan(1_000);
});

test('P1: a server that does not sync each write says so', async () => {
  const { lines } = watch((await nats({ syncAlways: false })).monitorUrl);
  await eventually('it was seen', async () => (await lines()).length > 10);
  expect(await lines()).toContain('canary_bus_sync_always{bus="a"} 0');
});

test('a server that ends is down, unhealthy and nothing more: no figure of its better days stays', async () => {
  const server = await nats();
  const { lines } = watch(server.monitorUrl);
  await eventually('it is well', async () =>
    (await lines()).includes('canary_bus_healthy{bus="a"} 1'),
  );
  await server.kill('SIGKILL');
  await eventually('it is down', async () => (await lines()).includes('canary_bus_up{bus="a"} 0'));
  const after = await lines();
  expect(after.map((line) => line.split('{')[0])).toEqual([
    'canary_bus_up',
    'canary_bus_healthy',
    'canary_bus_last_error_timestamp_seconds',
  ]);
  await server.restart();
  await eventually('it is back', async () =>
    (await lines()).includes('canary_bus_healthy{bus="a"} 1'),
  );
});

test('P12: a stranger on the port who answers anything, or nothing at all, is up or down, and never healthy', async () => {
  const options = { host: '127.0.0.1', port: 0 };
  const junk = await listen((_request, response) => response.end('{"status":"splendid"}'), options);
  ends.push(() => junk.close());
  const hung = await listen(() => undefined, options);
  ends.push(() => hung.close());
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const { states } = watch(at(junk.port), at(hung.port));
  await eventually('both were tried', () => states().length === 2, 15_000);
  const looks = states().map(({ look }) => ({ up: look.up, healthy: look.healthy }));
  expect(looks).toEqual(
    expect.arrayContaining([
      { up: true, healthy: false },
      { up: false, healthy: false },
    ]),
  );
});
