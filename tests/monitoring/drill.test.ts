import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { until } from '../../deploy/demo/until.ts';
import { missingMonitor } from '../../deploy/monitoring/start-monitoring.ts';
import { startCli } from '../../services/cli/start-cli.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { DrillRecord } from '../../shared/receipt/drill.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { describeWhere } from '../support/describe-where.ts';
import {
  MONITORED_CLOSE_MS,
  MONITORED_START_MS,
  type MonitoredSystem,
  startMonitoredSystem,
} from '../support/monitored-system.ts';

describeWhere(missingMonitor(), 'with Prometheus and Alertmanager', () => {
  let monitored: MonitoredSystem;

  beforeAll(async () => {
    monitored = await startMonitoredSystem();
  }, MONITORED_START_MS);

  afterAll(async () => {
    await monitored?.close();
  }, MONITORED_CLOSE_MS);

  test('the dead-receiver drill measures the call itself: Alertmanager pages within 180 s, and the pager has rung by then', async () => {
    const { system, calls, alertmanagerUrl } = monitored;
    // The drill refuses to begin beside an open page: one of a slow machine ends by itself, as does that of a first try.
    const openPages = `${alertmanagerUrl}/api/v2/alerts?filter=severity="page"`;
    await until('no page is open', { timeoutMs: 200_000, everyMs: 1_000 }, async () => {
      const open = await fetchJson(openPages, { schema: z.array(z.unknown()), timeoutMs: 5_000 });
      return open.length === 0 ? true : undefined;
    });
    const earlier = calls.length;

    let out = '';
    let err = '';
    const startedAtMs = Date.now();
    const config = join(system.stateDir, 'cli.json');
    const args = ['drill', 'dead-receiver', '--yes', '--json', '--alertmanager', alertmanagerUrl];
    const code = await startCli([...args, '--config', config], {
      env: {},
      now: Date.now,
      sleep,
      terminal: {
        out: (text) => {
          out += text;
        },
        err: (text) => {
          err += text;
        },
        isInteractive: false,
        columns: 100,
        ask: () => Promise.resolve(''),
      },
    });
    expect({ code, err }).toMatchObject({ code: 0 });
    const { record } = z.object({ record: DrillRecord }).parse(JSON.parse(out));
    expect({ code, record }).toMatchObject({ code: 0, record: { ok: true } });
    const { toPageSeconds = 0 } = record.measures;
    expect(record.note).toContain('paged as TransportUnproved by Alertmanager');
    expect(toPageSeconds).toBeGreaterThan(30);
    expect(toPageSeconds).toBeLessThanOrEqual(180);
    const called = calls
      .slice(earlier)
      .find(({ kind, status }) => kind === 'page' && status === 'firing');
    expect(called).toMatchObject({ labels: { transport: 'web-push' } });
    // What the drill says is what the pager heard, to a few seconds.
    const rangAfterSeconds = ((called?.atMs ?? 0) - startedAtMs) / 1000;
    expect(Math.abs(rangAfterSeconds - toPageSeconds)).toBeLessThan(10);
  }, 570_000);
});
