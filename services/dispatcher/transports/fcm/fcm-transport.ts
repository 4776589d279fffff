import type { FcmAddress } from '../../../../shared/subscription/subscription.ts';
import type { Clock } from '../../../../shared/time/clock.ts';
import { abandonOnAbort } from '../abandon.ts';
import type { Http2Pool } from '../http2-pool.ts';
import {
  CONFIGURATION_RETRY_MS,
  CONNECTION_RETRY_MS,
  outcomeOfFailure,
  rejected,
  unavailable,
} from '../outcome.ts';
import type { Outcome, OutgoingMessage, Transport } from '../transport.ts';
import { ttlSeconds } from '../ttl.ts';
import type { AccessTokens } from './access-token.ts';
import { type FcmTemplate, fcmBody, fcmTemplate } from './fcm-message.ts';
import { fcmOutcome, refusesAccessToken } from './fcm-outcome.ts';

/** FCM allows 100 streams on a session. */
const STREAMS_PER_SESSION = 100;

export interface FcmTransportOptions {
  readonly projectId: string;
  readonly sessions: number;
}

export interface FcmTransportDeps {
  readonly pool: Http2Pool;
  readonly tokens: AccessTokens;
  readonly clock: Clock;
}

/** FCM HTTP v1: one request per device over warm HTTP/2 sessions. */
export function createFcmTransport(
  options: FcmTransportOptions,
  { pool, tokens, clock }: FcmTransportDeps,
): Transport<FcmAddress> {
  const path = `/v1/projects/${options.projectId}/messages:send`;
  const templates = new WeakMap<OutgoingMessage, FcmTemplate | 'too-large'>();

  const templateOf = (message: OutgoingMessage) => {
    const known = templates.get(message);
    if (known !== undefined) return known;
    const template = fcmTemplate(message) ?? 'too-large';
    templates.set(message, template);
    return template;
  };

  const send = async (
    address: FcmAddress,
    message: OutgoingMessage,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const template = templateOf(message);
    if (template === 'too-large') return rejected('too-large');
    const accessToken = await abandonOnAbort(tokens.get(), signal);
    if (signal.aborted) return unavailable('aborted', CONNECTION_RETRY_MS);
    if (accessToken === undefined) return unavailable('no-token', CONNECTION_RETRY_MS);
    const ttl = ttlSeconds(message.expiresAtMs, clock());
    if (ttl === undefined) return rejected('expired');
    const exchange = await pool.request({
      path,
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: fcmBody(template, address.token, ttl),
      signal,
    });
    if (exchange.kind === 'failed') return outcomeOfFailure(exchange.reason);
    if (refusesAccessToken(exchange)) {
      tokens.refused(accessToken);
      return unavailable('auth', CONFIGURATION_RETRY_MS);
    }
    return fcmOutcome(exchange, clock());
  };

  return {
    kind: 'fcm',
    maxInFlight: options.sessions * STREAMS_PER_SESSION,
    send,
    warmUp: async () => {
      await Promise.all([tokens.get(), abandonOnAbort(pool.ready, AbortSignal.timeout(5_000))]);
    },
    close: async () => {
      tokens.close();
      await pool.close();
    },
  };
}
