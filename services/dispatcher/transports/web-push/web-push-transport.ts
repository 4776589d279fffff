import type { WebPushAddress } from '../../../../shared/subscription/subscription.ts';
import type { Clock } from '../../../../shared/time/clock.ts';
import type { OriginPools } from '../origin-pools.ts';
import { outcomeOfFailure, rejected } from '../outcome.ts';
import type { Outcome, OutgoingMessage, Transport } from '../transport.ts';
import { ttlSeconds } from '../ttl.ts';
import { MAX_CLEAR_BYTES } from './encrypt.ts';
import { createPushTargets } from './push-target.ts';
import { SealedBodies } from './sealed-bodies.ts';
import { clearPayload, createPushHeaders } from './web-push-request.ts';

export interface WebPushTransportOptions {
  /** Origins of self-hosted push services, besides the known ones. */
  readonly extraOrigins: readonly string[];
  readonly maxInFlight: number;
}

export interface WebPushTransportDeps {
  readonly pools: OriginPools;
  readonly vapidHeader: (origin: string) => string;
  /** Encrypts for one device, each time with keys of its own. Undefined: the device's keys are none. */
  readonly seal: (payload: Buffer, address: WebPushAddress) => Uint8Array | undefined;
  readonly clock: Clock;
}

const EXPIRED = rejected('expired');
const NOT_ALLOWED = rejected('endpoint-not-allowed');
const TOO_LARGE = rejected('too-large');
const BAD_KEYS = rejected('bad-keys');

/** Web Push: one sender for browsers, UnifiedPush and whatever speaks RFC 8030. */
export function createWebPushTransport(
  options: WebPushTransportOptions,
  { pools, vapidHeader, seal, clock }: WebPushTransportDeps,
): Transport<WebPushAddress> {
  const payloads = new WeakMap<OutgoingMessage, Buffer>();
  const targetOf = createPushTargets(options.extraOrigins);
  const headersOf = createPushHeaders(vapidHeader);
  const sealed = new SealedBodies();

  const payloadOf = (message: OutgoingMessage): Buffer => {
    const known = payloads.get(message);
    if (known !== undefined) return known;
    const payload = clearPayload(message);
    payloads.set(message, payload);
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
    const ttl = ttlSeconds(message.expiresAtMs, clock());
    if (ttl === undefined) return EXPIRED;
    const payload = payloadOf(message);
    if (payload.length > MAX_CLEAR_BYTES) return TOO_LARGE;
    const client = pools.at(target.origin);
    if (client === undefined) return outcomeOfFailure('overloaded');
    // Asked before sealing: a content key is spent on each message that is sealed.
    const kind = message.isTest === true ? 'test' : 'message';
    const refusal = client.refusal(signal, kind);
    if (refusal !== undefined) return outcomeOfFailure(refusal);
    const body = sealed.take(message, address.endpoint) ?? seal(payload, address);
    if (body === undefined) return BAD_KEYS;
    const headers = headersOf(target.origin, message, ttl);
    client.send({ path: target.path, headers, body, signal }, kind, (outcome) => {
      const comesAgain = outcome.kind === 'throttled' || outcome.kind === 'unavailable';
      if (comesAgain && !signal.aborted) sealed.keep(message, address.endpoint, body, clock());
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
    warmUp: () => Promise.resolve(),
    close: () => pools.close(),
  };
}
