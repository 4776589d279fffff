import { isAllowedPushEndpoint } from '../../../../shared/subscription/push-origin.ts';
import type { WebPushAddress } from '../../../../shared/subscription/subscription.ts';
import type { Clock } from '../../../../shared/time/clock.ts';
import type { HttpsPool } from '../https-pool.ts';
import { outcomeOfFailure, rejected } from '../outcome.ts';
import type { Outcome, OutgoingMessage, Transport } from '../transport.ts';
import { ttlSeconds } from '../ttl.ts';
import { encryptPush, MAX_CLEAR_BYTES } from './encrypt.ts';
import { webPushOutcome } from './web-push-outcome.ts';
import { clearPayload, pushHeaders } from './web-push-request.ts';

export interface WebPushTransportOptions {
  /** Origins of self-hosted push services, besides the known ones. */
  readonly extraOrigins: readonly string[];
  readonly maxInFlight: number;
}

export interface WebPushTransportDeps {
  readonly pool: HttpsPool;
  readonly vapidHeader: (origin: string) => string;
  readonly clock: Clock;
}

/** Web Push: one sender for browsers, UnifiedPush and whatever speaks RFC 8030. */
export function createWebPushTransport(
  options: WebPushTransportOptions,
  { pool, vapidHeader, clock }: WebPushTransportDeps,
): Transport<WebPushAddress> {
  const payloads = new WeakMap<OutgoingMessage, Buffer>();

  const payloadOf = (message: OutgoingMessage): Buffer => {
    const known = payloads.get(message);
    if (known !== undefined) return known;
    const payload = clearPayload(message);
    payloads.set(message, payload);
    return payload;
  };

  const send = async (
    address: WebPushAddress,
    message: OutgoingMessage,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    if (!isAllowedPushEndpoint(address.endpoint, options.extraOrigins))
      return rejected('endpoint-not-allowed');
    const ttl = ttlSeconds(message.expiresAtMs, clock());
    if (ttl === undefined) return rejected('expired');
    const payload = payloadOf(message);
    if (payload.length > MAX_CLEAR_BYTES) return rejected('too-large');
    const body = encryptPush(payload, {
      p256dh: Buffer.from(address.keys.p256dh, 'base64url'),
      auth: Buffer.from(address.keys.auth, 'base64url'),
    });
    if (body === undefined) return rejected('bad-keys');
    const endpoint = new URL(address.endpoint);
    const authorization = vapidHeader(endpoint.origin);
    const exchange = await pool.request(endpoint, {
      path: endpoint.pathname + endpoint.search,
      headers: pushHeaders({ authorization, ttlSeconds: ttl, quiet: message.quiet }),
      body,
      signal,
    });
    return exchange.kind === 'failed'
      ? outcomeOfFailure(exchange.reason)
      : webPushOutcome(exchange, clock());
  };

  return {
    kind: 'web-push',
    maxInFlight: options.maxInFlight,
    send,
    // Which origins an alert will need is known to its audience only; their tokens and connections come with it.
    warmUp: () => Promise.resolve(),
    close: () => pool.close(),
  };
}
