import { listen } from '../../shared/http/listen.ts';
import { startWithCleanup } from '../../shared/lifecycle/cleanup-stack.ts';
import { Health } from '../../shared/lifecycle/health.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { createAccessTokens } from './access-tokens.ts';
import { AUTOPUSH_TIMINGS, createAutopushServer } from './autopush-server.ts';
import { createAutopushUsers } from './autopush-users.ts';
import type { SandboxConfig } from './config.ts';
import { createControlApp } from './control-app.ts';
import { createCrowdReceipts } from './crowd-receipts.ts';
import { createCrowds } from './crowds.ts';
import { createFaultSwitches, PROVIDERS } from './faults.ts';
import { startFcmDevices } from './fcm-device/start-fcm-devices.ts';
import { createFcmDeviceSide } from './fcm-device-side.ts';
import { createFcmDevices } from './fcm-devices.ts';
import { createFcmTopics } from './fcm-topics.ts';
import { createSandboxMetrics } from './metrics.ts';
import { createPace } from './pace.ts';
import { createProviderRoutes } from './provider-routes.ts';
import { listenProviders } from './provider-server.ts';
import { createProviderStats } from './provider-stats.ts';
import { listenReceivers } from './receiver-sockets.ts';
import { openState } from './state.ts';
import { listenUnifiedPush } from './unified-push/unified-push-server.ts';

export interface Sandbox {
  readonly httpsPort: number;
  /** When FCM has a port of its own. */
  readonly fcmHttpsPort?: number;
  readonly wsPort: number;
  readonly controlPort: number;
  /** FCM's stream to its devices. */
  readonly mcsPort: number;
  readonly unifiedPushPort: number;
  readonly close: () => Promise<void>;
}

/** Starts the stand-ins of the push providers, their receivers' side and the control port. */
export function startSandbox(config: SandboxConfig, log: Logger): Promise<Sandbox> {
  return startWithCleanup(async (cleanup) => {
    const now = systemClock;
    const random = Math.random;
    const { host } = config;
    const health = new Health();
    const metrics = createMetricsRegistry('sandbox', 'sandbox');
    const stats = createProviderStats(createSandboxMetrics(metrics));
    const faults = createFaultSwitches();

    const db = openState(config.dataDir);
    cleanup.add('state', () => db.close());

    // The port may be chosen by the system, so the origin is known once it is bound; nobody asks before.
    let httpsPort = config.httpsPort;
    const origin = () => config.pushOrigin ?? `https://localhost:${httpsPort}`;

    const receipts = createCrowdReceipts();
    cleanup.add('receipts', () => receipts.close());
    const onWebPushRead = (node: string | undefined) => stats.sentBy('webPush', node);
    const crowds = createCrowds({ db, origin, receipts, onWebPushRead, now, random, log });
    cleanup.add('crowds', () => crowds.close());

    const fcmDevices = createFcmDevices(db);
    const fcm = createFcmDeviceSide({ devices: fcmDevices, now, log });
    const registered = await startFcmDevices(config, { db, devices: fcmDevices, now, log });
    cleanup.add('mcs', registered.close);
    const findFcm = (token: string) =>
      crowds.findFcm(token) ?? registered.findFcm(token) ?? fcm.find(token);
    const topics = createFcmTopics(db, { find: findFcm });
    cleanup.add('topics', () => topics.close());
    const users = createAutopushUsers(db);
    const autopush = createAutopushServer({ users, origin, timings: AUTOPUSH_TIMINGS, now, log });

    const accessTokens = createAccessTokens(db);
    faults.watch(() => {
      if (faults.current().fcm.revoked) accessTokens.revoke(now());
    });
    const providerRoutes = await createProviderRoutes({
      serviceAccount: config.serviceAccount,
      projectId: config.fcmProjectId,
      accessTokens,
      faults,
      stats,
      findFcm,
      topics,
      findWebPush: (token) => crowds.findWebPush(token) ?? autopush.find(token),
      findFcmWebPush: registered.findWebPush,
      origin,
      now,
      random,
    });
    const routes = [...providerRoutes, ...registered.routes];
    const certificates = { good: config.tls, ...config.badCertificates };
    const serving = { certificates, routes, faults, stats, pace: createPace(now), random, log };
    const isShared = config.fcmHttpsPort === undefined;
    const providers = await listenProviders(
      { host, port: config.httpsPort, of: isShared ? PROVIDERS : ['webPush'] },
      serving,
    );
    cleanup.add('providers', providers.close);
    httpsPort = providers.port;
    const own =
      config.fcmHttpsPort === undefined
        ? undefined
        : await listenProviders({ host, port: config.fcmHttpsPort, of: ['fcm'] }, serving);
    if (own) cleanup.add('FCM', own.close);

    const receivers = await listenReceivers({ host, port: config.wsPort }, { autopush, fcm });
    cleanup.add('receivers', receivers.close);

    const unifiedPush = await listenUnifiedPush(
      { host, port: config.unifiedPushPort },
      { tls: config.tls, faults, now, log },
    );
    cleanup.add('UnifiedPush', unifiedPush.close);

    const app = createControlApp({
      log,
      health,
      metrics,
      faults,
      certificates: Object.keys(certificates),
      fcmDevices,
      topics,
      crowds,
      receipts,
      stats,
    });
    const control = await listen(app, { host, port: config.controlPort });
    cleanup.add('control', control.close);

    health.started();
    cleanup.add('health', () => health.stopping());
    const ports = {
      httpsPort,
      ...(own ? { fcmHttpsPort: own.port } : {}),
      wsPort: receivers.port,
      controlPort: control.port,
      mcsPort: registered.mcsPort,
      unifiedPushPort: unifiedPush.port,
    };
    log.info(ports, 'sandbox started: nothing sent here reaches a real device');
    return ports;
  });
}
