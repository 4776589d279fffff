import { readJsonFile } from '../../../../shared/config/read-file.ts';
import type { WebPushAddress } from '../../../../shared/subscription/subscription.ts';
import { systemClock } from '../../../../shared/time/clock.ts';
import { HTTPS_POOL_DEFAULTS, HttpsPool } from '../https-pool.ts';
import type { Transport } from '../transport.ts';
import type { WebPushEnv } from './config.ts';
import { checkVapidKeys, createVapidHeaders, VapidKeysFile } from './vapid.ts';
import { createWebPushTransport } from './web-push-transport.ts';

/** More sends than sockets, so that a socket that is free finds the next one waiting. */
const IN_FLIGHT_PER_SOCKET = 2;

/** Reads and checks the VAPID keys. Throws ConfigError. */
export function buildWebPushTransport(config: WebPushEnv): Transport<WebPushAddress> {
  const keys = readJsonFile(config.VAPID_KEYS_FILE, VapidKeysFile, 'VAPID_KEYS_FILE');
  checkVapidKeys(keys);
  return createWebPushTransport(
    {
      extraOrigins: config.EXTRA_PUSH_ORIGINS,
      maxInFlight: config.WEB_PUSH_SOCKETS * IN_FLIGHT_PER_SOCKET,
    },
    {
      pool: new HttpsPool({ ...HTTPS_POOL_DEFAULTS, socketsPerOrigin: config.WEB_PUSH_SOCKETS }),
      vapidHeader: createVapidHeaders(keys, { clock: systemClock }),
      clock: systemClock,
    },
  );
}
