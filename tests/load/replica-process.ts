import { statSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
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
  .object({ path: z.string(), sites: BusSites, peers: Peers })
  .parse(JSON.parse(process.argv[2] ?? ''));

const TOKEN = 'bench';
const SLICE = 200;
/** Recipients in a shard, as ingest cuts audiences. */
const PER_SHARD = 2_000;
const MAX_SHARDS = 1_024;

const log = createLogger('dispatcher', 'bench', 'silent');
const metricsRegistry = createMetricsRegistry('dispatcher', 'bench');
let copies = 0;
const events = {
  ...createDispatcherEvents(createDispatcherMetrics(metricsRegistry), log),
  snapshot: (result: string) => {
    if (result === 'taken') copies++;
  },
};
const baseRssMb = process.memoryUsage.rss() / 1e6;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const registry = new Registry(setup.path);
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
  const asked = z
    .discriminatedUnion('ask', [
      z.object({ ask: z.literal('scan'), areas: z.array(z.string()) }),
      z.object({ ask: z.literal('block') }),
      z.object({ ask: z.literal('end') }),
    ])
    .parse(message);
  if (asked.ask === 'scan') process.send?.({ type: 'scanned', ...scan(asked.areas) });
  else if (asked.ask === 'block') process.send?.({ type: 'block', ...look() });
  else void end();
});
// Whole also when no bus answers yet: what is measured is the time until the streams have been read to their ends.
while (!(follower.isWhole() && buses.every((bus) => bus.ready))) await sleep(5);
process.send?.({
  type: 'whole',
  ms: performance.now(),
  cpuSeconds: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
  devices: registry.size(),
  copies,
  port: http.port,
  baseRssMb,
  fileMb: statSync(setup.path).size / 1e6,
  ...look(),
});

/** The longest time for which nothing else could be done since the last look, and the memory. */
function look() {
  const longestBlockMs = delay.max / 1e6;
  delay.reset();
  return {
    longestBlockMs,
    rssMb: process.memoryUsage.rss() / 1e6,
    peakRssMb: process.resourceUsage().maxRSS / 1e3,
  };
}

/** All recipients of an alert, shard by shard in slices, as a dispatcher reads them. */
function scan(areas: readonly string[]) {
  const filter = { kind: 'public', reach: reachOf(areas) } as const;
  const startedMs = performance.now();
  const people = registry.count(filter, 'fcm', false);
  const countMs = performance.now() - startedMs;
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, people / PER_SHARD)));
  const shards = Math.min(MAX_SHARDS, wanted);
  let rows = 0;
  let longestPageMs = 0;
  for (let shard = 0; shard < shards; shard++) {
    let after = '';
    for (;;) {
      const pageStartedMs = performance.now();
      const at = { transport: 'fcm', shard, shards, after, limit: SLICE } as const;
      const page = registry.page(filter, at);
      longestPageMs = Math.max(longestPageMs, performance.now() - pageStartedMs);
      rows += page.length;
      after = page.at(-1)?.deviceId ?? '';
      if (page.length < SLICE) break;
    }
  }
  const ms = performance.now() - startedMs - countMs;
  return { rows, ms, countMs, longestPageMs };
}

async function end(): Promise<void> {
  await follower.close();
  await Promise.all(buses.map((bus) => bus.close()));
  await http.close();
  registry.close();
  process.exit(0);
}
