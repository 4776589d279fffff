import { readJsonFile } from '../../../../shared/config/read-file.ts';
import type { WebPushAddress } from '../../../../shared/subscription/subscription.ts';
import { systemClock } from '../../../../shared/time/clock.ts';
import { oncePerTurn } from '../../../../shared/time/once-per-turn.ts';
import type { OriginLimits } from '../../pacing/origin-limits.ts';
import { openHttp2Client } from '../http2-client.ts';
import { createHttpsAgent, HTTPS_AGENT_DEFAULTS, HttpsPool } from '../https-pool.ts';
import { ORIGIN_CLIENT_DEFAULTS, OriginClient } from '../origin-client.ts';
import { ORIGIN_POOLS_DEFAULTS, OriginPools } from '../origin-pools.ts';
import { probeProtocol } from '../probe-protocol.ts';
import type { Transport } from '../transport.ts';
import {
  type ConnectionEvent,
  connectionChanged,
  type TransportEventDeps,
} from '../transport-metrics.ts';
import type { WebPushEnv } from './config.ts';
import type { PushEncryptor } from './prepared/push-encryptor.ts';
import { checkVapidKeys, createVapidHeaders, VapidKeysFile } from './vapid.ts';
import { webPushOutcomeOf } from './web-push-outcome.ts';
import { createWebPushTransport } from './web-push-transport.ts';

const PROBE_TIMEOUT_MS = 3_000;

/** What the node makes once and others look at too. */
export interface WebPushParts {
  readonly limits: OriginLimits;
  readonly encryptor: Pick<PushEncryptor, 'encrypt' | 'recycle' | 'keepForRetry'>;
}

/** Reads and checks the VAPID keys. Throws ConfigError. */
export function buildWebPushTransport(
  config: WebPushEnv,
  deps: TransportEventDeps,
  { limits, encryptor }: WebPushParts,
): Transport<WebPushAddress> {
  const keys = readJsonFile(config.VAPID_KEYS_FILE, VapidKeysFile, 'VAPID_KEYS_FILE');
  checkVapidKeys(keys);
  const clock = oncePerTurn(systemClock);
  return createWebPushTransport(
    { extraOrigins: config.EXTRA_PUSH_ORIGINS, maxInFlight: config.WEB_PUSH_IN_FLIGHT },
    {
      pools: buildOriginPools(config, deps, limits),
      vapidHeader: createVapidHeaders(keys, { clock }),
      encryptor,
      clock,
    },
  );
}

/** What a test sets otherwise. */
interface OriginPoolsTrial {
  readonly ca?: string;
  readonly deadlineMs?: number;
}

/** Each push service with its own connections: HTTP/2 by the chosen client, or HTTP/1.1. */
export function buildOriginPools(
  config: Pick<
    WebPushEnv,
    'HTTP2_CLIENT' | 'WEB_PUSH_SESSIONS' | 'WEB_PUSH_SOCKETS' | 'WEB_PUSH_IN_FLIGHT'
  >,
  deps: TransportEventDeps,
  limits: OriginLimits,
  { deadlineMs = ORIGIN_CLIENT_DEFAULTS.deadlineMs, ...tls }: OriginPoolsTrial = {},
): OriginPools {
  const agent = createHttpsAgent({
    ...HTTPS_AGENT_DEFAULTS,
    socketsPerOrigin: config.WEB_PUSH_SOCKETS,
    ...tls,
  });
  const places = config.WEB_PUSH_IN_FLIGHT;
  const now = oncePerTurn(systemClock);
  const open = (origin: string): OriginClient => {
    const changed = (event: ConnectionEvent, detail: string) =>
      connectionChanged(deps, { transport: 'web-push', origin, event, detail });
    return new OriginClient(
      {
        ...ORIGIN_CLIENT_DEFAULTS,
        deadlineMs,
        maxWaiting: Math.floor(places / 2),
        maxWaitingAlone: places,
      },
      {
        probe: () => probeProtocol({ origin, timeoutMs: PROBE_TIMEOUT_MS, ...tls }),
        open: (protocol) =>
          protocol === 'h2'
            ? openHttp2Client(
                config.HTTP2_CLIENT,
                { origin, sessions: config.WEB_PUSH_SESSIONS, deadlineMs, ...tls },
                { random: Math.random, onConnection: changed },
              )
            : new HttpsPool({ origin, deadlineMs, maxOpen: places }, agent),
        pace: limits.of(origin),
        outcomeOf: webPushOutcomeOf,
        onRefused: (detail) => changed('refused', detail),
        isAlone: () => pools.isQuiet,
        random: Math.random,
        now,
      },
    );
  };
  const pools: OriginPools = new OriginPools(ORIGIN_POOLS_DEFAULTS, {
    open,
    now,
    onClosed: () => agent.destroy(),
  });
  return pools;
}
