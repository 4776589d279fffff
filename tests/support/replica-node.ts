import { createDispatcherEvents } from '../../services/dispatcher/events.ts';
import {
  followRegistry,
  type RegistryFollower,
} from '../../services/dispatcher/follow-registry.ts';
import { createDispatcherMetrics } from '../../services/dispatcher/metrics.ts';
import { Quarantine } from '../../services/dispatcher/quarantine.ts';
import { Registry } from '../../services/dispatcher/registry.ts';
import { registryRoutes } from '../../services/dispatcher/registry-routes.ts';
import { createSnapshots } from '../../services/dispatcher/snapshot.ts';
import { SiteBus } from '../../shared/bus/site-bus.ts';
import { createApp, finishApp } from '../../shared/http/app.ts';
import { requireToken } from '../../shared/http/bearer.ts';
import { listen } from '../../shared/http/listen.ts';
import { CleanupStack } from '../../shared/lifecycle/cleanup-stack.ts';
import { Health } from '../../shared/lifecycle/health.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { systemClock } from '../../shared/time/clock.ts';
import type { TestNats } from './nats-server.ts';

export const REPLICA_TOKEN = 'internal-token';

/** The part of a dispatcher that holds the registry: its replica, kept up to date, and copies of it for peers. */
export interface ReplicaNode {
  readonly url: string;
  readonly registry: Registry;
  readonly follower: RegistryFollower;
  readonly events: ReturnType<typeof createDispatcherEvents>;
  readonly buses: readonly SiteBus[];
  /** The value of one of its metrics, as `name` or `name{label="value"}`. */
  readonly metric: (name: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Starts one on real buses; `peers` are asked for a copy when it has nothing to begin with. */
export async function startReplicaNode(options: {
  readonly path: string;
  /** By the name of its site. */
  readonly buses: Readonly<Record<string, TestNats>>;
  readonly peers?: readonly { readonly url: string }[];
}): Promise<ReplicaNode> {
  const cleanup = new CleanupStack();
  const log = createLogger('dispatcher', 'test', 'silent');
  const metricsRegistry = createMetricsRegistry('dispatcher', 'test');
  const metrics = createDispatcherMetrics(metricsRegistry);
  const events = createDispatcherEvents(metrics, log);
  const registry = new Registry(options.path);
  cleanup.add('registry', () => registry.close());
  const buses = Object.entries(options.buses).map(
    ([site, { url, monitorUrl }]) =>
      new SiteBus(
        {
          site: { site, url, monitorUrl, replicas: 1 },
          clientName: 'replica',
          streams: ['REGISTRY'],
          allowUnsynced: false,
        },
        log,
      ),
  );
  for (const bus of buses) cleanup.add('bus', () => bus.close());
  const peers = (options.peers ?? []).map(({ url }, i) => ({ name: `p${i}`, site: 'a', url }));
  const follower = followRegistry({
    registry,
    buses,
    peers,
    token: REPLICA_TOKEN,
    events,
    log,
    now: systemClock,
  });
  cleanup.add('follower', () => follower.close());
  const quarantine = new Quarantine(':memory:');
  cleanup.add('quarantine', () => quarantine.close());
  const app = createApp({ log, health: new Health(), metrics: metricsRegistry });
  app.use('/v1', requireToken(REPLICA_TOKEN));
  const judge = () => Promise.reject(new Error('nothing to judge'));
  const snapshots = createSnapshots({ registry, isWhole: follower.isWhole, events });
  app.use('/v1', registryRoutes({ node: 'test', snapshots, quarantine, judge }));
  finishApp(app, log);
  const http = await listen(app, { host: '127.0.0.1', port: 0 });
  cleanup.add('http', () => http.close());
  return {
    url: `http://127.0.0.1:${http.port}`,
    registry,
    follower,
    events,
    buses,
    metric: async (name) => {
      const line = (await metricsRegistry.metrics())
        .split('\n')
        .find((each) => each.startsWith(name.replace(/\}$/, '')));
      return Number(line?.split(' ').at(-1));
    },
    close: () => cleanup.close(),
  };
}
