import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SiteBus } from '../../shared/bus/site-bus.ts';
import { readJsonFile, readTextFile } from '../../shared/config/read-file.ts';
import { KeySet } from '../../shared/envelope/key-set.ts';
import { createVerifier } from '../../shared/envelope/signature.ts';
import { listen } from '../../shared/http/listen.ts';
import { startWithCleanup } from '../../shared/lifecycle/cleanup-stack.ts';
import { Health } from '../../shared/lifecycle/health.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { startTracing } from '../../shared/trace/start-tracing.ts';
import { formatTraceparent } from '../../shared/trace/trace-context.ts';
import { startAskFirst } from './ask-first.ts';
import type { DispatcherConfig } from './config.ts';
import { startCredentials } from './credentials/start-credentials.ts';
import { Dispatch } from './dispatch.ts';
import { dispatchTransports } from './dispatch-transports.ts';
import { dispatcherTrace } from './dispatcher-trace.ts';
import { watchEventLoop } from './event-loop.ts';
import { createDispatcherEvents } from './events.ts';
import { followAlerts } from './follow-alerts.ts';
import { followReceipts } from './follow-receipts.ts';
import { followRegistry, type RegistryFollower } from './follow-registry.ts';
import { gatherGone } from './gather-gone.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createDispatcherApp } from './http-app.ts';
import { Journal } from './journal.ts';
import { createDispatcherMetrics } from './metrics.ts';
import { startOwnProof } from './own-proof.ts';
import { FcmPace } from './pacing/fcm-pace.ts';
import { OriginLimits } from './pacing/origin-limits.ts';
import { watchPacing } from './pacing/pacing-metrics.ts';
import { type Peers, startPeers } from './peers.ts';
import { Quarantine } from './quarantine.ts';
import { refillBuses } from './refill-buses.ts';
import { Registry } from './registry.ts';
import { createJudge, createRemoveGone } from './remove-gone.ts';
import { createSayReceipt } from './say-receipt.ts';
import { createSnapshots } from './snapshot.ts';
import { createTakeAlert } from './take-alert.ts';
import { startTopics } from './topics/start-topics.ts';
import { buildTransports } from './transports/registry.ts';
import { RouteTrust } from './trust.ts';
import { createWebPushRecords, isSendingAlert } from './web-push-records.ts';

/** Builds a dispatcher and starts it. It needs nothing else to be up: what it lacks now it takes up when it comes. */
export function startDispatcher(config: DispatcherConfig, log: Logger) {
  return startWithCleanup(async (cleanup) => {
    const node = config.NODE_NAME;
    const now = systemClock;
    const token = readTextFile(config.INTERNAL_TOKEN_FILE, 'internal token');
    const keySet = readJsonFile(config.TRUSTED_KEYS_FILE, KeySet, 'trusted keys');
    const verifyEnvelope = createVerifier(keySet, 'envelope');
    const verifyAlert = createVerifier(keySet, 'alert');
    const nodes = [...new Set([node, ...config.DISPATCHERS.map((peer) => peer.name)])].sort();

    const metricsRegistry = createMetricsRegistry('dispatcher', node);
    const metrics = createDispatcherMetrics(
      metricsRegistry,
      config.NATS_SITES.map(({ site }) => site),
    );
    const source = { service: 'dispatcher', node, site: config.SITE };
    const tracing = startTracing(
      { ...source, otlpEndpoint: config.OTLP_ENDPOINT },
      { log, registry: metricsRegistry },
    );
    cleanup.add('tracing', () => tracing.close());
    const { traces } = tracing;
    const events = createDispatcherEvents(metrics, log, traces);
    const health = new Health();

    mkdirSync(config.DATA_DIR, { recursive: true });
    const journal = new Journal(join(config.DATA_DIR, 'journal.sqlite'), (error) =>
      log.error(errorFields(error), 'receipts could not be kept: their shards may be sent again'),
    );
    cleanup.add('journal', () => journal.close());
    const registry = new Registry(join(config.DATA_DIR, 'registry.sqlite'));
    cleanup.add('registry', () => registry.close());
    if (registry.rebuilt) events.registryRebuilt();
    events.registryChanged(registry.size());
    const quarantine = new Quarantine(join(config.DATA_DIR, 'quarantine.sqlite'));
    cleanup.add('quarantine', () => quarantine.close());
    metrics.watchQuarantine(() => quarantine.counts());

    const buses = config.NATS_SITES.map(
      (site) =>
        new SiteBus(
          {
            site,
            clientName: `dispatcher-${node}`,
            streams: ['ALERTS', 'REGISTRY', 'RECEIPTS', 'PROOFS'],
            allowUnsynced: config.DEPLOYMENT === 'development',
          },
          log,
        ),
    );
    for (const bus of buses) cleanup.add(`bus ${bus.site}`, () => bus.close());

    const originLimits = new OriginLimits({
      most: config.WEB_PUSH_SESSIONS * MOST_STREAMS,
      random: Math.random,
    });
    const records = createWebPushRecords(config.WEB_PUSH_RECORDS, metricsRegistry, log);
    const transports = buildTransports(config, log, metricsRegistry, {
      limits: originLimits,
      encryptor: records.encryptor,
    });
    for (const transport of Object.values(transports))
      cleanup.add(`transport ${transport.kind}`, () => transport.close());

    const registryFollower = followRegistry({
      registry,
      buses,
      peers: config.DISPATCHERS.filter((peer) => peer.name !== node),
      token,
      events,
      log,
      now,
    });
    cleanup.add('registry follower', () => registryFollower.close());

    const trust = new RouteTrust(now);
    const askFirst = startAskFirst({
      peers: nodes.filter((name) => name !== node),
      buses,
      onAsked: events.askedFirst,
    });
    cleanup.add('ask first', () => askFirst.close());
    let peers: Peers | undefined;
    const startedPeers = (): Peers => {
      if (!peers) throw new Error('peers are not started yet');
      return peers;
    };
    const fcmPace = new FcmPace(
      {
        quotaPerMinute: config.FCM_QUOTA_PER_MINUTE,
        rampSeconds: config.FCM_RAMP_SECONDS,
        // A refused connection tells of a dead peer seconds before its silence does; both are asked, for one that hangs.
        liveNodes: () =>
          nodes.filter(
            (name) => name === node || !(peers?.unanswering(name) || peers?.silent(name)),
          ).length,
        random: Math.random,
      },
      now(),
    );
    watchPacing(metricsRegistry, { fcm: fcmPace, webPush: originLimits });
    const eventLoop = watchEventLoop(metricsRegistry);
    cleanup.add('event loop watch', () => eventLoop.close());
    const credentials = startCredentials(
      { node, fcmOrigin: config.FCM_ORIGIN, oauthOrigin: config.OAUTH_ORIGIN },
      { registry: metricsRegistry, log, now },
    );
    cleanup.add('credentials', credentials.close);
    const dispatchedBy = dispatchTransports(transports, {
      metrics,
      fcmPace,
      isBusy: eventLoop.isDelayed,
      onAccepted: (id) => quarantine.accepted(id),
      onEnded: credentials.ended,
      now,
    });
    const shares = dispatchedBy.map(({ share }) => share);
    const isSending = () => isSendingAlert(shares, eventLoop.isDelayed);
    const topics =
      config.FCM_TOPICS === 'on'
        ? startTopics(config, {
            node,
            nodes,
            registry,
            isReplicaWhole: () => registryFollower.isWhole(),
            journal,
            silent: (name) => startedPeers().silent(name),
            unanswering: (name) => startedPeers().unanswering(name),
            askFirst,
            isBusy: isSending,
            metricsRegistry,
            log,
            alertFields: events.alertFields,
            now,
          })
        : undefined;
    if (topics) cleanup.add('topics', () => topics.close());
    const gone = gatherGone(createRemoveGone({ registry, quarantine, buses, events, now }));
    cleanup.add('gone devices', gone.close);
    const dispatch: Dispatch = new Dispatch({
      node,
      site: config.SITE,
      nodes,
      journal,
      registry,
      transports: dispatchedBy,
      trust,
      silent: (name) => startedPeers().silent(name),
      unanswering: (name) => startedPeers().unanswering(name),
      isReplicaWhole: () => registryFollower.isWhole(),
      publishReceipt: createSayReceipt({
        journal,
        peers: startedPeers,
        buses,
        traceparentOf: (alertId) => {
          const context = traces.contextOf(alertId);
          return context && formatTraceparent(context);
        },
      }),
      reportGone: gone.reportGone,
      askFirst,
      topics,
      verifyEnvelope,
      verifyAlert,
      events,
      log,
      now,
    });
    cleanup.add('fan-outs', () => dispatch.close());
    metrics.watchFanOut(() => dispatch.fanOut());
    const takeAlert = createTakeAlert({
      node,
      journal,
      dispatch,
      verifyEnvelope,
      verifyAlert,
      events,
      now,
    });

    peers = startPeers({
      peers: config.DISPATCHERS.filter((peer) => peer.name !== node),
      token,
      takeAlert: (jws) => takeAlert(jws, 'peer'),
      takeReceipt: (receipt) => void dispatch.heard(receipt),
      onHeard: askFirst.heard,
      onAnswering: (peer, answers) => dispatch.peerAnswers(peer, answers),
      metrics,
      log,
      now,
    });
    cleanup.add('peers', () => startedPeers().close());

    journal.expireOpen(now());
    await untilWhole(registryFollower);
    await dispatch.resume();

    const alertFollower = followAlerts({
      node,
      journalId: journal.id,
      buses,
      takeAlert,
      events,
      log,
    });
    cleanup.add('alert follower', () => alertFollower.close());
    askFirst.begin((over) => [...startedPeers().ask(over), ...alertFollower.ask(over)]);
    const takeReceipt = (receipt: Parameters<typeof dispatch.heard>[0]) => {
      startedPeers().heardFrom(receipt.node);
      dispatch.heard(receipt);
    };
    const asking = new AbortController();
    cleanup.add('own proof', () => asking.abort());
    const { signal } = asking;
    const ownProof = startOwnProof({ node, canaries: config.CANARIES, now, signal });
    const takeProofs = (report: Parameters<typeof trust.note>[0], spokenAtMs: number) => {
      trust.note(report, spokenAtMs);
      ownProof.note(report, spokenAtMs);
      dispatch.reconsider();
    };
    const receiptFollower = followReceipts({ buses, takeReceipt, takeProofs, events, log, now });
    cleanup.add('receipt follower', () => receiptFollower.close());
    const refill = refillBuses({
      node,
      nodes,
      buses,
      journal,
      registry,
      verifyEnvelope,
      events,
      log,
      now,
    });
    cleanup.add('refill', () => refill.close());
    const replenishing = records.start({
      registry,
      isSending,
      onServices: (addresses) => {
        credentials.useServices(addresses);
        transports['web-push'].keepWarm?.(addresses);
      },
    });
    cleanup.add('web push records', () => replenishing.close());
    const housekeeping = startHousekeeping({ journal, dispatch, buses, metrics, log, now });
    cleanup.add('housekeeping', () => housekeeping.close());

    health.add({
      name: 'registry',
      check: () => registryFollower.isWhole(),
    });
    health.add({ name: 'own canary', check: ownProof.isBack });
    const app = createDispatcherApp({
      log,
      health,
      metrics: metricsRegistry,
      node,
      site: config.SITE,
      token,
      takeAlert,
      takeReceipt,
      takeProofs: (report) => takeProofs(report, now()),
      dispatch,
      traceOf: (id) => dispatcherTrace(id, { node, site: config.SITE, journal, dispatch, traces }),
      journal,
      registry,
      snapshots: createSnapshots({ registry, isWhole: registryFollower.isWhole, events }),
      quarantine,
      credentials: credentials.report,
      judge: createJudge(node, { registry, quarantine, buses, events, now }),
    });
    const http = await listen(app, { host: config.HOST, port: config.PORT });
    cleanup.add('http', () => http.close());
    cleanup.add('readiness', () => health.stopping());
    health.started();
    log.info({ port: http.port, nodes, devices: registry.size() }, 'dispatcher started');
    // Not awaited: a provider that is down must not keep a dispatcher from taking alerts.
    for (const transport of Object.values(transports)) void transport.warmUp();
    return { port: http.port };
  });
}

/** The most sends that one HTTP/2 session carries at a time. */
const MOST_STREAMS = 200;
/** The replica is usually whole within a blink; with the bus away, a start does not wait for it longer than this. */
const WHOLE_WITHIN_MS = 3_000;

async function untilWhole(follower: RegistryFollower): Promise<void> {
  const deadlineMs = systemClock() + WHOLE_WITHIN_MS;
  while (!follower.isWhole() && systemClock() < deadlineMs) await sleep(20);
}
