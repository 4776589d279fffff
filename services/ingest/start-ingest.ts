import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Audience } from '../../shared/alert/audience.ts';
import { SiteBus } from '../../shared/bus/site-bus.ts';
import { createSigner, createVerifier } from '../../shared/envelope/signature.ts';
import { listen } from '../../shared/http/listen.ts';
import { startWithCleanup } from '../../shared/lifecycle/cleanup-stack.ts';
import { Health } from '../../shared/lifecycle/health.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { createCredentialMetrics } from '../../shared/metrics/credential-metrics.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { startTracing } from '../../shared/trace/start-tracing.ts';
import { createAcceptance } from './accept/accept-alert.ts';
import { askAudience } from './accept/ask-audience.ts';
import type { AudienceSigners } from './accept/build-envelope.ts';
import { createWorkSlots } from './accept/work-slots.ts';
import type { IngestConfig } from './config.ts';
import { createKeyStates } from './credentials/key-states.ts';
import { createIngestEvents } from './events.ts';
import { createIngestApp } from './ingest-app.ts';
import { busTarget, dispatcherTarget, edgeTarget } from './lanes/lane-target.ts';
import { Outbox } from './lanes/outbox.ts';
import { redeliver } from './lanes/redeliver.ts';
import { tracedTarget } from './lanes/traced-target.ts';
import { createIngestMetrics, observeBuses, observeInWork } from './metrics.ts';
import { findAlert, followUpsOf } from './progress/find-alert.ts';
import { ingestTrace } from './progress/ingest-trace.ts';
import { createPathProofs } from './progress/path-proofs.ts';
import { readProgress } from './progress/read-progress.ts';
import { createAuthentication } from './routes/authentication.ts';

/** Starts the ingest. Resolves to the port it listens on and what stops it. */
export function startIngest(
  config: IngestConfig,
  log: Logger,
): Promise<{ port: number; close: () => Promise<void> }> {
  return startWithCleanup(async (cleanup) => {
    const clock = systemClock;
    const random = Math.random;
    const stopping = new AbortController();
    const health = new Health();

    const signers: Record<Audience, AudienceSigners> = {
      public: await signersOf(config.signingKeys.public),
      canary: await signersOf(config.signingKeys.canary),
    };
    const verifyEnvelope = createVerifier(config.trustedKeys, 'envelope');

    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    const outbox = new Outbox(join(config.dataDir, 'outbox.sqlite'));
    cleanup.add('outbox', () => outbox.close());
    const interrupted = outbox.settleInterrupted(clock());
    if (interrupted.resumed + interrupted.dropped > 0)
      log.warn(interrupted, 'found sends that the last stop interrupted');

    const buses = config.natsSites.map(
      (site) =>
        new SiteBus(
          {
            site,
            clientName: `ingest-${config.node}`,
            streams: ['ALERTS'],
            allowUnsynced: config.development,
          },
          log,
        ),
    );
    cleanup.add('buses', () => Promise.all(buses.map((bus) => bus.close())));
    const registry = createMetricsRegistry('ingest', config.node);
    const { node, site, otlpEndpoint } = config;
    const tracing = startTracing(
      { service: 'ingest', node, site, otlpEndpoint },
      { log, registry },
    );
    cleanup.add('tracing', () => tracing.close());
    const { traces } = tracing;
    const targets = [
      ...buses.map(busTarget),
      ...config.dispatchers.map((peer) => dispatcherTarget(peer, config.internalToken)),
      ...config.edges.map((peer) => edgeTarget(peer, config.internalToken)),
    ].map((target) => tracedTarget(target, traces));
    const events = createIngestEvents(createIngestMetrics(registry, targets), log, traces);
    const slots = createWorkSlots();
    observeInWork(registry, () => slots.inWork);
    observeBuses(registry, buses);
    const keyStates = createKeyStates(config.apiKeys, config.node, clock);
    createCredentialMetrics(registry, keyStates.states);

    const acceptance = createAcceptance({
      node: config.node,
      outbox,
      targets,
      signers,
      verifyEnvelope,
      askAudience: (areaCodes) => askAudience(areaCodes, config),
      slots,
      events,
      traces,
      clock,
      random,
      signal: stopping.signal,
    });
    const redelivery = redeliver({
      outbox,
      targets,
      clock,
      random,
      log,
      signal: stopping.signal,
      onResult: (target, entry, result) => {
        events.laneCaughtUp(target, entry, result);
        if (result.kind !== 'failed')
          outbox.settleLane(
            entry.id,
            target.key,
            result.kind === 'acknowledged' ? 'done' : 'conflict',
            clock(),
          );
      },
    });
    cleanup.add('redelivery', async () => {
      stopping.abort();
      await redelivery;
    });

    const { dispatchers, internalToken } = config;
    const sources = { outbox, buses, dispatchers, internalToken, verifyEnvelope };
    const app = createIngestApp({
      log,
      health,
      metrics: registry,
      node: config.node,
      internalToken: config.internalToken,
      authentication: createAuthentication(config.apiKeys, {
        clock,
        events,
        onUsed: keyStates.used,
      }),
      keyStates,
      acceptance,
      outbox,
      verifyEnvelope,
      traceOf: (id) => ingestTrace(id, { node, site, outbox, traces }),
      findAlert: (id) => findAlert(id, sources),
      followUpsOf: (found) => followUpsOf(found, sources),
      readProgress: (id) => readProgress(id, config),
      pathProofs: createPathProofs({
        ingests: config.ingests.length > 0 ? config.ingests.map(({ name }) => name) : [config.node],
        dispatchers: config.dispatchers.map(({ name }) => name),
        clock,
      }),
      otherIngests: config.ingests
        .filter(({ name, site }) => name !== config.node || site !== config.site)
        .map(({ url }) => url),
      events,
      clock,
    });
    const server = await listen(app, config);
    cleanup.add('server', () => server.close());
    cleanup.add('readiness', () => health.stopping());
    health.started();
    log.info(
      { port: server.port, sites: new Set(targets.map(({ site }) => site)).size },
      'ingest takes alerts',
    );
    return { port: server.port };
  });
}

async function signersOf(key: Parameters<typeof createSigner>[0]): Promise<AudienceSigners> {
  return { alert: await createSigner(key, 'alert'), envelope: await createSigner(key, 'envelope') };
}
