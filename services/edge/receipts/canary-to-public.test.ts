import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createVerifier } from '../../../shared/envelope/signature.ts';
import { createApp, finishApp } from '../../../shared/http/app.ts';
import { requireToken } from '../../../shared/http/bearer.ts';
import { listen } from '../../../shared/http/listen.ts';
import { Health } from '../../../shared/lifecycle/health.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import {
  aCanaryAlert,
  anAlert,
  signedEnvelope,
  TEST_KEY_SET,
} from '../../../tests/support/alert-builder.ts';
import { openRecentAlerts } from '../alerts/recent-alerts.ts';
import { createEdgeEvents } from '../events.ts';
import { createEdgeMetrics } from '../metrics.ts';
import { createReceiptCounts } from './receipt-counts.ts';
import { addReceiptRoutes } from './routes.ts';

const log = createLogger('edge', 'a', 'silent');
const verify = createVerifier(TEST_KEY_SET, 'envelope');
const PATH = { ingest: 'a', lane: 'direct', dispatcher: 'a', transport: 'fcm' } as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-edge-canary-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function start() {
  const registry = createMetricsRegistry('edge', 'a');
  const metrics = createEdgeMetrics(registry, []);
  const events = createEdgeEvents(metrics, log);
  const counted = async () => {
    const { values } = await metrics.canaryToPublic.get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels.where, value]));
  };
  return { registry, events, counted };
}

const canaryRound = () =>
  signedEnvelope(aCanaryAlert({ identifier: 'round', probes: ['probe'] }), { path: PATH });

test('P6: a device that says that it showed a canary’s round is counted; a probe’s silence, a repeat and a real alert are not', async () => {
  const { registry, events, counted } = start();
  const alerts = await openRecentAlerts(folder, { verify, events });
  const app = createApp({ log, health: new Health(), metrics: registry });
  const counts = createReceiptCounts(alerts.has);
  const { isCanary } = alerts;
  addReceiptRoutes(app, { counts, events, isCanary, internal: requireToken('token') });
  finishApp(app, log);
  const http = await listen(app, { host: '127.0.0.1', port: 0 });
  const receipt = async (alertId: string, action: string) => {
    const body = {
      v: 1,
      alertId,
      transport: 'fcm',
      action,
      via: 'a',
      receivedAt: new Date().toISOString(),
    };
    const answer = await fetch(`http://127.0.0.1:${http.port}/v1/receipts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(204);
  };
  try {
    const real = await signedEnvelope(anAlert({ identifier: 'real' }));
    const round = await canaryRound();
    await alerts.take(real.jws, 'direct');
    await alerts.take(round.jws, 'direct');
    await receipt(real.id, 'shown');
    await receipt(round.id, 'ignored');
    expect(await counted()).toEqual({ page: 0, device: 0 });
    await receipt(round.id, 'shown');
    expect(await counted()).toEqual({ page: 0, device: 1 });
  } finally {
    await http.close();
  }
});

test('P6: a canary’s round that somehow stands among the page’s alerts is not shown, and counted', async () => {
  const round = await canaryRound();
  const real = await signedEnvelope(anAlert({ identifier: 'real' }));
  const stored = { v: 1, jws: [round.jws, real.jws] };
  writeFileSync(join(folder, 'edge-alerts.json'), JSON.stringify(stored));
  const { events, counted } = start();
  const alerts = await openRecentAlerts(folder, { verify, events });
  expect(alerts.envelopes().map(({ id }) => id)).toEqual([real.id]);
  expect(await counted()).toEqual({ page: 1, device: 0 });
});
