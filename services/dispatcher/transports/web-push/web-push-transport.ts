import type { WebPushAddress } from '../../../../shared/subscription/subscription.ts';
import type { Clock } from '../../../../shared/time/clock.ts';
import type { OriginPools } from '../origin-pools.ts';
import { outcomeOfFailure, rejected } from '../outcome.ts';
import type { Outcome, OutgoingMessage, Transport } from '../transport.ts';
import { ttlSeconds } from '../ttl.ts';
import type { PushEncryptor } from './prepared/push-encryptor.ts';
import { createPushTargets } from './push-target.ts';
import { type PushPayload, pushPayload } from './seal/push-payload.ts';
import { clearPayload, createPushHeaders } from './web-push-request.ts';

export interface WebPushTransportOptions {
  /** Origins of self-hosted push services, besides the known ones. */
  readonly extraOrigins: readonly string[];
  readonly maxInFlight: number;
}

export interface WebPushTransportDeps {
  readonly pools: OriginPools;
  readonly vapidHeader: (origin: string) => string;
  readonly encryptor: Pick<PushEncryptor, 'encrypt' | 'recycle' | 'keepForRetry'>;
  readonly clock: Clock;
}

const EXPIRED = rejected('expired');
const NOT_ALLOWED = rejected('endpoint-not-allowed');
const TOO_LARGE = rejected('too-large');
const BAD_KEYS = rejected('bad-keys');

/** Web Push: one sender for browsers, UnifiedPush and whatever speaks RFC 8030. */
export function createWebPushTransport(
  options: WebPushTransportOptions,
  { pools, vapidHeader, encryptor, clock }: WebPushTransportDeps,
): Transport<WebPushAddress> {
  const payloads = new WeakMap<OutgoingMessage, PushPayload | 'too-large'>();
  const targetOf = createPushTargets(options.extraOrigins);
  const headersOf = createPushHeaders(vapidHeader);

  /** Most messages are the same as the one before. */
  let last: { message: OutgoingMessage; payload: PushPayload | 'too-large' } | undefined;
  const payloadOf = (message: OutgoingMessage): PushPayload | 'too-large' => {
    if (last?.message === message) return last.payload;
    const payload = payloads.get(message) ?? pushPayload(clearPayload(message)) ?? 'too-large';
    payloads.set(message, payload);
    last = { message, payload };
    return payload;
  };

  /** Posts, or says why it did not. */
  const begin = (
    address: WebPushAddress,
    message: OutgoingMessage,
    signal: AbortSignal,
    settle: (outcome: Outcome) => void,
  ): Outcome | undefined => {
    const target = targetOf(address.endpoint);
    if (target === undefined) return NOT_ALLOWED;
    // Asked once: at this rate a look at the clock is a cost.
    const nowMs = clock();
    const ttl = ttlSeconds(message.expiresAtMs, nowMs);
    if (ttl === undefined) return EXPIRED;
    const payload = payloadOf(message);
    if (payload === 'too-large') return TOO_LARGE;
    const client = pools.at(target.origin, nowMs);
    if (client === undefined) return outcomeOfFailure('overloaded');
    // Asked before sealing: a content key is spent on each message that is sealed.
    const kind = message.isTest === true ? 'test' : 'message';
    const refusal = client.refusal(signal, kind, nowMs);
    if (refusal !== undefined) return client.outcomeOfRefusal(refusal);
    const body = encryptor.encrypt(payload, address.keys);
    if (body === undefined) return BAD_KEYS;
    const headers = headersOf(target.origin, message, ttl);
    client.send({ path: target.path, headers, body, signal }, kind, (outcome) => {
      const comesAgain = outcome.kind === 'throttled' || outcome.kind === 'unavailable';
      if (outcome.kind === 'accepted') encryptor.recycle(payload, body);
      else if (comesAgain && !signal.aborted) encryptor.keepForRetry(payload, address.keys, body);
      settle(outcome);
    });
    return undefined;
  };

  return {
    kind: 'web-push',
    maxInFlight: options.maxInFlight,
    send: (address, message, signal, settle) => {
      const refused = begin(address, message, signal, settle);
      if (refused !== undefined) settle(refused);
    },
    // Which push services an alert will need is known from the registry: `keepWarm`.
    warmUp: () => Promise.resolve(),
    keepWarm: (addresses) => {
      for (const { endpoint } of addresses) {
        const target = targetOf(endpoint);
        if (target === undefined) continue;
        vapidHeader(target.origin);
        pools.at(target.origin);
      }
    },
    close: () => pools.close(),
  };
}
