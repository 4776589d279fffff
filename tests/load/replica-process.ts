import { statSync } from 'node:fs';
import { z } from 'zod';
import { createDispatcherEvents } from '../../services/dispatcher/events.ts';
import { followRegistry } from '../../services/dispatcher/follow-registry.ts';
import { createDispatcherMetrics } from '../../services/dispatcher/metrics.ts';
import { Quarantine } from '../../services/dispatcher/quarantine.ts';
import { Registry } from '../../services/dispatcher/registry.ts';
import { registryRoutes } from '../../services/dispatcher/registry-routes.ts';
import { createSnapshots } from '../../services/dispatcher/snapshot.ts';
import { reachOf } from '../../shared/alert/area.ts';
import { BusSites, Peers } from '../../shared/bus/bus-config.ts';
import { SiteBus } from '../../shared/bus/site-bus.ts';
import { createApp, finishApp } from '../../shared/http/app.ts';
import { requireToken } from '../../shared/http/bearer.ts';
import { listen } from '../../shared/http/listen.ts';
import { Health } from '../../shared/lifecycle/health.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';

/** One dispatcher's replica in a process of its own: it reports when it is whole, and scans when it is asked to. */
const setup = z
  .object({ path: z.string(), sites: BusSites, peers: Peers, area: z.string(), shards: z.int() })
  .parse(JSON.parse(process.argv[2] ?? ''));

const TOKEN = 'bench';
const SLICE = 200;

const log = createLogger('dispatcher', 'bench', 'silent');
const metricsRegistry = createMetricsRegistry('dispatcher', 'bench');
let copies = 0;
const events = {
  ...createDispatcherEvents(createDispatcherMetrics(metricsRegistry), log),
  snapshot: (result: string) => {
    if (result === 'taken') copies++;
  },
};
const openedAtMs = performance.now();
const registry = new Registry(setup.path);
const openMs = performance.now() - openedAtMs;
const buses = setup.sites.map(
  (site) =>
    new SiteBus({ site, clientName: 'bench', streams: ['REGISTRY'], allowUnsynced: false }, log),
);
const follower = followRegistry({
  registry,
  buses,
  peers: setup.peers,
  token: TOKEN,
  events,
  log,
  now: systemClock,
});
const app = createApp({ log, health: new Health(), metrics: metricsRegistry });
const quarantine = new Quarantine(':memory:');
app.use('/v1', requireToken(TOKEN));
app.use(
  '/v1',
  registryRoutes({
    node: 'bench',
    snapshots: createSnapshots({ registry, isWhole: follower.isWhole, events }),
    quarantine,
    judge: () => Promise.reject(new Error('nothing to judge')),
  }),
);
finishApp(app, log);
const http = await listen(app, { host: '127.0.0.1', port: 0 });

process.on('message', (message) => {
  if (message === 'scan') process.send?.({ type: 'scanned', ...scan() });
  else if (message === 'end') void end();
});
// Whole also when no bus answers yet: what is measured is the time until the streams have been read to their ends.
while (!(follower.isWhole() && buses.every((bus) => bus.ready))) await sleep(5);
process.send?.({
  type: 'whole',
  ms: performance.now(),
  openMs,
  cpuSeconds: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
  devices: registry.size(),
  copies,
  port: http.port,
  rssMb: process.memoryUsage.rss() / 1e6,
  peakRssMb: process.resourceUsage().maxRSS / 1e3,
  fileMb: statSync(setup.path).size / 1e6,
});

/** All recipients of an alert, shard by shard in slices, as a dispatcher reads them. */
function scan(): { rows: number; ms: number; countMs: number } {
  const filter = { kind: 'public', reach: reachOf([setup.area]) } as const;
  const startedMs = performance.now();
  registry.count(filter, 'fcm', false);
  const countMs = performance.now() - startedMs;
  let rows = 0;
  for (let shard = 0; shard < setup.shards; shard++) {
    let after = '';
    for (;;) {
      const at = { transport: 'fcm', shard, shards: setup.shards, after, limit: SLICE } as const;
      const page = registry.page(filter, at);
      rows += page.length;
      after = page.at(-1)?.deviceId ?? '';
      if (page.length < SLICE) break;
    }
  }
  return { rows, ms: performance.now() - startedMs - countMs, countMs };
}

async function end(): Promise<void> {
  await follower.close();
  await Promise.all(buses.map((bus) => bus.close()));
  await http.close();
  registry.close();
  process.exit(0);
}
