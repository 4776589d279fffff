import { SiteBus } from '../../shared/bus/site-bus.ts';
import { readJsonFile, readTextFile } from '../../shared/config/read-file.ts';
import { KeySet } from '../../shared/envelope/key-set.ts';
import { createVerifier } from '../../shared/envelope/signature.ts';
import { createApp, finishApp } from '../../shared/http/app.ts';
import { requireToken } from '../../shared/http/bearer.ts';
import { listen } from '../../shared/http/listen.ts';
import { addTraceRoute } from '../../shared/http/trace-route.ts';
import { startWithCleanup } from '../../shared/lifecycle/cleanup-stack.ts';
import { Health } from '../../shared/lifecycle/health.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { startTracing } from '../../shared/trace/start-tracing.ts';
import { edgeTrace } from './alerts/edge-trace.ts';
import { followAlerts } from './alerts/follow-alerts.ts';
import { addIntakeRoute } from './alerts/intake-route.ts';
import { readJournal } from './alerts/read-journals.ts';
import { openRecentAlerts } from './alerts/recent-alerts.ts';
import type { EdgeConfig } from './config.ts';
import { createEdgeEvents } from './events.ts';
import { createEdgeMetrics, observeBuses } from './metrics.ts';
import { bundleWeb } from './page/bundle-web.ts';
import { createPages } from './page/pages.ts';
import { addPageRoutes } from './page/routes.ts';
import { securityHeaders } from './page/security-headers.ts';
import { publishCounts } from './receipts/publish-counts.ts';
import { createReceiptCounts } from './receipts/receipt-counts.ts';
import { addReceiptRoutes } from './receipts/routes.ts';
import { openOutbox } from './registration/outbox.ts';
import { repeatToLaggingSites } from './registration/registry-writer.ts';
import { addRegistrationRoutes } from './registration/routes.ts';

/** A running edge: `port` is the bound one. */
export interface Edge {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** The public side of one site: registration, device receipts, pages. It needs nobody to be up. */
export function startEdge(config: EdgeConfig, log: Logger): Promise<Edge> {
  return startWithCleanup(async (cleanup) => {
    const token = readTextFile(config.INTERNAL_TOKEN_FILE, 'INTERNAL_TOKEN_FILE');
    const keySet = readJsonFile(config.TRUSTED_KEYS_FILE, KeySet, 'TRUSTED_KEYS_FILE');
    const assets = await bundleWeb();
    const health = new Health();
    const registry = createMetricsRegistry('edge', config.NODE_NAME);
    const { NODE_NAME: node, SITE: site, OTLP_ENDPOINT: otlpEndpoint } = config;
    const tracing = startTracing({ service: 'edge', node, site, otlpEndpoint }, { log, registry });
    cleanup.add('tracing', () => tracing.close());
    const events = createEdgeEvents(
      createEdgeMetrics(
        registry,
        config.NATS_SITES.map((each) => each.site),
      ),
      log,
      tracing.traces,
    );
    const verify = createVerifier(keySet, 'envelope');
    const alerts = await openRecentAlerts(config.DATA_DIR, { verify, events });
    const outbox = openOutbox(config.DATA_DIR);
    cleanup.add('outbox', () => outbox.close());
    const buses = config.NATS_SITES.map((site) => {
      const clientName = `edge-${config.NODE_NAME}`;
      const allowUnsynced = config.DEPLOYMENT === 'development';
      const bus = new SiteBus(
        { site, clientName, streams: ['REGISTRY', 'RECEIPTS'], allowUnsynced },
        log,
      );
      cleanup.add(`bus ${site.site}`, () => bus.close());
      return bus;
    });
    observeBuses(registry, buses);
    const counts = createReceiptCounts(alerts.has);

    const stop = new AbortController();
    const background = [
      repeatToLaggingSites({ buses, outbox, events }, stop.signal),
      publishCounts({ counts, buses, edge: config.NODE_NAME }, stop.signal),
      ...buses.map((bus) => followAlerts(bus, { alerts, log, signal: stop.signal })),
      ...config.DISPATCHERS.map((peer) =>
        readJournal(peer, { alerts, token, signal: stop.signal }),
      ),
    ];
    // A background part only ends when it is told to: if one throws, the process must not go on without it.
    for (const part of background)
      part.catch((error: unknown) =>
        setImmediate(() => {
          throw error;
        }),
      );
    cleanup.add('background parts', async () => {
      stop.abort();
      await Promise.all(background);
    });

    const internal = requireToken(token);
    const app = createApp({ log, health, metrics: registry });
    if (config.TRUSTED_PROXIES.length > 0) app.set('trust proxy', config.TRUSTED_PROXIES);
    app.use(securityHeaders(config.DEPLOYMENT === 'production'));
    addPageRoutes(app, {
      pages: createPages(alerts, systemClock),
      assets,
      vapidPublicKey: config.VAPID_PUBLIC_KEY,
      keySet,
      onRead: events.pageRead,
    });
    addIntakeRoute(app, { alerts, internal, node, site });
    addTraceRoute(app, internal, (id) =>
      edgeTrace(id, { node, site, alerts, traces: tracing.traces }),
    );
    addReceiptRoutes(app, { counts, events, isCanary: alerts.isCanary, internal });
    addRegistrationRoutes(app, {
      buses,
      outbox,
      events,
      internal,
      now: systemClock,
      random: Math.random,
      extraPushOrigins: config.EXTRA_PUSH_ORIGINS,
      registrationsPerMinute: config.REGISTRATIONS_PER_MINUTE,
    });
    finishApp(app, log);

    const listening = await listen(app, { host: config.HOST, port: config.PORT });
    cleanup.add('http', () => {
      health.stopping();
      return listening.close();
    });
    health.started();
    log.info({ port: listening.port }, 'edge is up');
    return { port: listening.port };
  });
}
