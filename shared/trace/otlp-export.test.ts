import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { until } from '../../deploy/demo/until.ts';
import { createLogger } from '../log/logger.ts';
import type { Span } from './alert-traces.ts';
import { startOtlpExport } from './otlp-export.ts';

const SOURCE = { service: 'ingest', node: 'a', site: 'a' };
const log = createLogger('ingest', 'a', 'silent');
const span: Span = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  sampled: true,
  parentSpanId: 'c'.repeat(16),
  name: 'lane bus',
  alertId: 'd'.repeat(32),
  startMs: 1_784_061_068_000,
  endMs: 1_784_061_068_020,
  attributes: { target: 'bus', count: 3 },
  ok: true,
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A collector that answers with this status, or not at all. */
async function collector(status: number | 'hangs') {
  const bodies: { path: string; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString() });
      if (status !== 'hangs') response.writeHead(status).end('{}');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

async function counted(registry: Registry): Promise<Record<string, number>> {
  const metric = await registry.getSingleMetric('trace_spans_total')?.get();
  return Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [String(labels['result']), value]),
  );
}

const Body = z.object({
  resourceSpans: z.tuple([
    z.object({
      resource: z.object({ attributes: z.array(z.unknown()) }),
      scopeSpans: z.tuple([z.object({ spans: z.array(z.unknown()) })]),
    }),
  ]),
});

test('spans reach the collector as OTLP in JSON: ids as hex, instants as nanoseconds in text', async () => {
  const { url, bodies } = await collector(200);
  const registry = new Registry();
  const exporting = startOtlpExport(`${url}/`, SOURCE, { log, registry });
  exporting.offer(span);
  await until('it came', { timeoutMs: 5_000, everyMs: 20 }, async () => bodies[0]);
  await exporting.close();
  expect(bodies.map(({ path }) => path)).toEqual(['/v1/traces']);
  const { resource, scopeSpans } = Body.parse(JSON.parse(bodies[0]?.body ?? '')).resourceSpans[0];
  expect(resource.attributes).toContainEqual({
    key: 'service.name',
    value: { stringValue: 'tocsin-ingest' },
  });
  expect(scopeSpans[0].spans).toEqual([
    {
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId,
      name: 'lane bus',
      kind: 1,
      startTimeUnixNano: '1784061068000000000',
      endTimeUnixNano: '1784061068020000000',
      attributes: [
        { key: 'tocsin.alert', value: { stringValue: span.alertId } },
        { key: 'tocsin.target', value: { stringValue: 'bus' } },
        { key: 'tocsin.count', value: { intValue: '3' } },
      ],
      status: { code: 1 },
    },
  ]);
  expect(await counted(registry)).toEqual({ sent: 1, failed: 0, dropped: 0 });
});

test('P12: a collector that hangs holds up nobody: what is too much is dropped and counted, and the end comes in time', async () => {
  const { url, bodies } = await collector('hangs');
  const registry = new Registry();
  const exporting = startOtlpExport(url, SOURCE, { log, registry, maxQueued: 10 });
  exporting.offer(span);
  await until('the first is on its way', { timeoutMs: 5_000, everyMs: 20 }, async () => bodies[0]);
  const beganMs = performance.now();
  for (let i = 0; i < 10_000; i++) exporting.offer(span);
  expect(performance.now() - beganMs).toBeLessThan(1_000);
  expect((await counted(registry))['dropped']).toBe(9_990);
  const closingMs = performance.now();
  await exporting.close();
  expect(performance.now() - closingMs).toBeLessThan(2_500);
});

test('a collector that is dead or refuses costs its spans, which are counted', async () => {
  const refusing = await collector(503);
  for (const url of [refusing.url, 'http://127.0.0.1:1']) {
    const registry = new Registry();
    const exporting = startOtlpExport(url, SOURCE, { log, registry });
    exporting.offer(span);
    await until('it failed', { timeoutMs: 5_000, everyMs: 20 }, async () =>
      (await counted(registry))['failed'] === 1 ? true : undefined,
    );
    await exporting.close();
  }
});
