import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { findFreePortBase } from '../../deploy/local/ports.ts';
import { startPageReceiver } from '../../deploy/monitoring/page-receiver.ts';
import { targetsOf } from '../../deploy/monitoring/prometheus-config.ts';
import { canMonitor, startMonitoring } from '../../deploy/monitoring/start-monitoring.ts';
import { startCli } from '../../services/cli/start-cli.ts';
import { DrillRecord } from '../../shared/receipt/drill.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { startWholeSystem, type WholeSystem } from '../support/whole-system.ts';

const PathsAnswer = z.object({
  summary: z.object({ provedPaths: z.number(), totalPaths: z.number() }),
});

/** Debian: apt-get install prometheus prometheus-alertmanager. */
const withMonitoring = canMonitor() ? describe : describe.skip;

withMonitoring('with Prometheus and Alertmanager', () => {
  let system: WholeSystem;
  let pages: Awaited<ReturnType<typeof startPageReceiver>>;
  let monitoring: Awaited<ReturnType<typeof startMonitoring>>;
  let alertmanager: string;

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
    alertmanager = `http://127.0.0.1:${portBase + 1}`;
  }, 120_000);

  afterAll(async () => {
    await monitoring?.close();
    await pages?.close();
    await system?.close();
    system?.destroy();
  }, 60_000);

  test('the dead-receiver drill measures the call itself: Alertmanager pages within 180 s, and the pager has rung by then', async () => {
    const proved = async () => {
      for (const site of system.sites) {
        const answer = await fetch(`${urlOf(system, `canary-${site}`)}/v1/paths`);
        const { summary } = PathsAnswer.parse(await answer.json());
        if (summary.provedPaths < summary.totalPaths) return undefined;
      }
      return true;
    };
    await until('every path proved', { timeoutMs: 90_000, everyMs: 250 }, proved);
    const watchdog = async () => pages.calls.find(({ alert }) => alert === 'Watchdog');
    await until('the sign of life', { timeoutMs: 60_000, everyMs: 250 }, watchdog);
    // Prometheus judges once before it has read anything: what that said has to be over.
    const nothingOpen = async () => {
      const answer = await fetch(`${alertmanager}/api/v2/alerts?filter=severity="page"`);
      return z.array(z.unknown()).parse(await answer.json()).length === 0 ? true : undefined;
    };
    await until('no page is open', { timeoutMs: 60_000, everyMs: 1_000 }, nothingOpen);

    let out = '';
    let err = '';
    const startedAtMs = Date.now();
    const config = join(system.stateDir, 'cli.json');
    const args = ['drill', 'dead-receiver', '--yes', '--json', '--alertmanager', alertmanager];
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
    const called = pages.calls.find(({ kind, status }) => kind === 'page' && status === 'firing');
    expect(called).toMatchObject({ labels: { transport: 'web-push' } });
    // What the drill says is what the pager heard, to a few seconds.
    const rangAfterSeconds = ((called?.atMs ?? 0) - startedAtMs) / 1000;
    expect(Math.abs(rangAfterSeconds - toPageSeconds)).toBeLessThan(10);
  }, 480_000);
});
