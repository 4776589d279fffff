import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { missingMonitor } from '../../deploy/monitoring/start-monitoring.ts';
import { describeWhere } from '../support/describe-where.ts';
import {
  MONITORED_CLOSE_MS,
  MONITORED_START_MS,
  type MonitoredSystem,
  startMonitoredSystem,
} from '../support/monitored-system.ts';
import { setFaults } from '../support/whole-system.ts';

/** P5: from the moment that the last hop delivers nothing to the page on somebody's phone. */
const PAGED_WITHIN_MS = 180_000;

describeWhere(missingMonitor(), 'with Prometheus and Alertmanager', () => {
  let monitored: MonitoredSystem;

  beforeAll(async () => {
    monitored = await startMonitoredSystem();
  }, MONITORED_START_MS);

  afterAll(async () => {
    await monitored?.close();
  }, MONITORED_CLOSE_MS);

  test('P5: a provider that takes everything and delivers nothing is paged within 180 s, though every process is well', async () => {
    const { system, calls } = monitored;
    const isPaged = () =>
      calls.filter(({ kind, status }) => kind === 'page' && status === 'firing');
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
  }, 240_000);
});
