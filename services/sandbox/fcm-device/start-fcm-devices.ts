import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { SandboxConfig } from '../config.ts';
import type { FcmDevices } from '../fcm-devices.ts';
import type { ProviderRoute } from '../provider-server.ts';
import { createFcmDeliveries, type FcmDeliveries } from './deliveries.ts';
import { listenMcs, MCS_TIMINGS } from './mcs-server.ts';
import { createFcmDeviceRoutes } from './routes.ts';
import { createFcmDeviceStore } from './store.ts';

type Settings = Pick<SandboxConfig, 'host' | 'mcsPort' | 'tls' | 'fcmProjectId' | 'fcmSenderId'>;

interface FcmDevicesDeps {
  readonly db: DatabaseSync;
  readonly devices: FcmDevices;
  readonly now: Clock;
  readonly log: Logger;
}

interface StartedFcmDevices extends FcmDeliveries {
  readonly mcsPort: number;
  /** To be served beside the providers'. */
  readonly routes: readonly ProviderRoute[];
  readonly close: () => Promise<void>;
}

/** FCM's side towards devices as Google's servers speak it: what stock Chromium and the canary's MCS probe connect to. */
export async function startFcmDevices(
  { host, mcsPort, tls, fcmProjectId: projectId, fcmSenderId: senderId }: Settings,
  { db, devices, now, log }: FcmDevicesDeps,
): Promise<StartedFcmDevices> {
  const store = createFcmDeviceStore(db);
  const mcs = await listenMcs(
    { host, port: mcsPort },
    { store, tls, timings: MCS_TIMINGS, now, log },
  );
  return {
    mcsPort: mcs.port,
    routes: createFcmDeviceRoutes({ db, store, devices, projectId, senderId, now }),
    ...createFcmDeliveries({ store, devices, mcs, now }),
    close: mcs.close,
  };
}
