import { join } from 'node:path';
import { z } from 'zod';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { findFreePortBase } from '../../deploy/local/ports.ts';
import { startPageReceiver } from '../../deploy/monitoring/page-receiver.ts';
import { targetsOf } from '../../deploy/monitoring/prometheus-config.ts';
import { startMonitoring } from '../../deploy/monitoring/start-monitoring.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { CleanupStack } from '../../shared/lifecycle/cleanup-stack.ts';
import { startWholeSystem } from './whole-system.ts';

/** Processes are given time to end. */
const CLOSE_MS = 30_000;
const PathsAnswer = z.object({
  summary: z.object({ provedPaths: z.number(), totalPaths: z.number() }),
});
/** What Prometheus answers to a query: labels, and a value with its time. */
const QueryAnswer = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

export type MonitoredSystem = Awaited<ReturnType<typeof startMonitoredSystem>>;

/** For a test's beforeAll and afterAll: what a start takes at most on a slow machine, and an end. */
export const MONITORED_START_MS = 330_000;
export const MONITORED_CLOSE_MS = 60_000;

/**
 * A whole system, a Prometheus and an Alertmanager that watch it, and whom they call. Resolves when every canary has proved
 * every path, Prometheus has read every canary, and the sign of life has come through both programs.
 */
export async function startMonitoredSystem() {
  const cleanup = new CleanupStack(CLOSE_MS);
  try {
    const system = await startWholeSystem();
    cleanup.add('state folder', system.destroy);
    cleanup.add('system', system.close);
    const pages = await startPageReceiver(0);
    cleanup.add('page receiver', pages.close);
    const portBase = await findFreePortBase(1);
    const monitoring = await startMonitoring({
      folder: join(system.stateDir, 'monitoring'),
      targets: targetsOf(system.urls),
      receivers: pages.receivers,
      prometheusPort: portBase,
      alertmanagerPort: portBase + 1,
    });
    cleanup.add('monitoring', monitoring.close);
    await until('every path proved', { timeoutMs: 90_000, everyMs: 250 }, async () => {
      for (const site of system.sites) {
        const url = `${urlOf(system, `canary-${site}`)}/v1/paths`;
        const { summary } = await fetchJson(url, { schema: PathsAnswer, timeoutMs: 5_000 });
        if (summary.provedPaths < summary.totalPaths) return undefined;
      }
      return true;
    });
    // Before that it judges by nothing: on a slow machine it would call NoProof in the middle of a test.
    const query = 'count(count by (node) (canary_last_receipt_timestamp_seconds))';
    const readUrl = `${monitoring.prometheusUrl}/api/v1/query?query=${encodeURIComponent(query)}`;
    await until('every canary read', { timeoutMs: 60_000, everyMs: 250 }, async () => {
      const { data } = await fetchJson(readUrl, { schema: QueryAnswer, timeoutMs: 5_000 });
      return Number(data.result[0]?.value[1]) === system.sites.length ? true : undefined;
    });
    await until('the sign of life', { timeoutMs: 60_000, everyMs: 250 }, async () =>
      pages.calls.find(({ alert }) => alert === 'Watchdog'),
    );
    const { alertmanagerUrl } = monitoring;
    return { system, calls: pages.calls, alertmanagerUrl, close: () => cleanup.close() };
  } catch (error) {
    await cleanup.close().catch(() => undefined);
    throw error;
  }
}
