import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { describeWhere } from '../../tests/support/describe-where.ts';
import { until } from '../demo/until.ts';
import { findFreePortBase } from '../local/ports.ts';
import { startPageReceiver } from './page-receiver.ts';
import { missingMonitor, startMonitoring } from './start-monitoring.ts';

jest.setTimeout(60_000);

type Labels = Readonly<Record<string, string>>;

describeWhere(missingMonitor(), 'a real Alertmanager says the widest word once', () => {
  let folder: string;
  let pages: Awaited<ReturnType<typeof startPageReceiver>>;
  let monitoring: Awaited<ReturnType<typeof startMonitoring>>;
  let count = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tocsin-inhibition-'));
    pages = await startPageReceiver(0);
    const portBase = await findFreePortBase(1);
    monitoring = await startMonitoring({
      folder,
      targets: {},
      receivers: pages.receivers,
      prometheusPort: portBase,
      alertmanagerPort: portBase + 1,
    });
  });
  afterAll(async () => {
    await monitoring?.close();
    await pages?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const fire = async (...alerts: readonly Labels[]) => {
    const body = alerts.map((labels) => ({ labels, annotations: { summary: 'x' } }));
    const answer = await fetch(`${monitoring.alertmanagerUrl}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(200);
  };
  const called = (labels: Labels) =>
    pages.calls.some((call) =>
      Object.entries(labels).every(([name, value]) => call.labels[name] === value),
    );
  const untilCalled = (labels: Labels) =>
    until(labels['alertname'] ?? '', { timeoutMs: 10_000, everyMs: 50 }, async () =>
      called(labels) ? true : undefined,
    );

  const page = (alertname: string, scope: string, labels: Labels = {}): Labels => ({
    alertname,
    scope,
    severity: 'page',
    ...labels,
  });
  const fcm = { transport: 'fcm', node: 'a' };

  test.each<[string, Labels, readonly Labels[], readonly Labels[]]>([
    [
      'a dead transport, not each of its paths; another scope is heard all the same',
      page('TransportUnproved', 'transport', { transport: 'fcm' }),
      [page('RouteUnproved', 'path', { path: 'a:bus:a:fcm' }), page('FanOutStalls', 'sends', fcm)],
      [page('FanOutStalls', 'sends', { ...fcm, transport: 'web-push' })],
    ],
    [
      'a bus that does not sync, not that services refuse it; another bus is heard',
      page('BusUnsynced', 'bus', { bus: 'a' }),
      ['ingest', 'dispatcher', 'edge'].map((service) =>
        page('BusRefused', 'bus', { bus: 'a', service }),
      ),
      [page('BusRefused', 'bus', { bus: 'b', service: 'ingest' })],
    ],
    [
      'a bus that is refused, not what else is wrong with it',
      page('BusRefused', 'bus', { bus: 'c', service: 'edge' }),
      [
        page('BusUnhealthy', 'bus', { bus: 'c', server: 'x:1' }),
        page('BusStreamMissing', 'bus', { bus: 'c', stream: 'ALERTS' }),
      ],
      [page('BusUnhealthy', 'bus', { bus: 'd', server: 'x:1' })],
    ],
    [
      'a credential that is refused, not that the provider refuses; another node is heard',
      page('CredentialRefused', 'credential', { ...fcm, credential: 'fcm-service-account' }),
      [
        page('ProviderRefuses', 'provider', fcm),
        page('FanOutStalls', 'sends', { ...fcm, again: '1' }),
      ],
      [page('ProviderRefuses', 'provider', { ...fcm, node: 'b' })],
    ],
    [
      'the last three days of a certificate, not its last three weeks',
      page('CredentialEndsSoon', 'credential', { credential: 'tls-fcm' }),
      [{ ...page('CredentialEnds', 'credential', { credential: 'tls-fcm' }), severity: 'page' }],
      [{ ...page('CredentialEnds', 'credential', { credential: 'tls-oauth' }), severity: 'page' }],
    ],
  ])('%s', async (_what, source, silent, heard) => {
    count++;
    // A group of its own for each: the second flush of a group comes a minute after the first.
    const round = (labels: Labels, suffix = ''): Labels => {
      const isByScope = ['transport', 'path'].includes(labels['scope'] ?? '');
      return isByScope ? labels : { ...labels, scope: `${labels['scope']}-${count}${suffix}` };
    };
    await fire(round(source));
    await untilCalled(round(source));
    await fire(...silent.map((labels) => round(labels)));
    await fire(...heard.map((labels) => round(labels, '-heard')));
    for (const labels of heard) await untilCalled(round(labels, '-heard'));
    expect(silent.filter((labels) => called(round(labels)))).toEqual([]);
  });
});
