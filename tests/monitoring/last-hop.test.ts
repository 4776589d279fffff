import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { findFreePortBase } from '../../deploy/local/ports.ts';
import { startPageReceiver } from '../../deploy/monitoring/page-receiver.ts';
import { targetsOf } from '../../deploy/monitoring/prometheus-config.ts';
import { canMonitor, startMonitoring } from '../../deploy/monitoring/start-monitoring.ts';
import { setFaults, startWholeSystem, type WholeSystem } from '../support/whole-system.ts';

/** P5: from the moment that the last hop delivers nothing to the page on somebody's phone. */
const PAGED_WITHIN_MS = 180_000;

/** Debian: apt-get install prometheus prometheus-alertmanager. */
const withMonitoring = canMonitor() ? describe : describe.skip;

withMonitoring('with Prometheus and Alertmanager', () => {
  let system: WholeSystem;
  let pages: Awaited<ReturnType<typeof startPageReceiver>>;
  let monitoring: Awaited<ReturnType<typeof startMonitoring>>;

  beforeAll(async () => {
    system = await startWholeSystem();
    pages = await startPageReceiver(0);
    const portBase = await findFreePortBase(1);
    monitoring = await startMonitoring({
      folder: join(system.stateDir, 'monitoring'),
      targets: targetsOf(system.urls),
      receivers: pages.receivers,
      prometheusPort: portBase,
      alertmanagerPort: portBase + 1,
    });
  }, 120_000);

  afterAll(async () => {
    await monitoring?.close();
    await pages?.close();
    await system?.close();
    system?.destroy();
  }, 60_000);

  test('P5: a provider that takes everything and delivers nothing is paged within 180 s, though every process is well', async () => {
    const proved = async () => {
      const { summary } = (await (await fetch(`${urlOf(system, 'canary-a')}/v1/paths`)).json()) as {
        summary: { provedPaths: number; totalPaths: number };
      };
      return summary.provedPaths === summary.totalPaths ? true : undefined;
    };
    await until('every path proved', { timeoutMs: 90_000, everyMs: 250 }, proved);
    const watchdog = async () => pages.calls.find(({ alert }) => alert === 'Watchdog');
    await until('the sign of life', { timeoutMs: 60_000, everyMs: 250 }, watchdog);
    const isPaged = () =>
      pages.calls.filter(({ kind, status }) => kind === 'page' && status === 'firing');
    expect(isPaged().map(({ alert }) => alert)).toEqual([]);

    await setFaults(system, { fcm: { blackHole: true } });
    const brokenAtMs = Date.now();
    const page = await until(
      'the page',
      { timeoutMs: PAGED_WITHIN_MS, everyMs: 100 },
      async () => isPaged()[0],
    );
    expect(page).toMatchObject({ alert: 'TransportUnproved', labels: { transport: 'fcm' } });
    expect(page.atMs - brokenAtMs).toBeLessThanOrEqual(PAGED_WITHIN_MS);
    // What everybody else looks at was well all the time.
    const outcomes = await (await fetch(`${urlOf(system, 'dispatcher-a')}/metrics`)).text();
    expect(outcomes).toMatch(
      /dispatcher_outcomes_total\{transport="fcm",outcome="unavailable"[^}]*\} 0/,
    );
    for (const name of ['ingest-a', 'dispatcher-a', 'dispatcher-b', 'edge-a'])
      expect((await fetch(`${urlOf(system, name)}/ready`)).status).toBe(200);
  }, 360_000);
});
