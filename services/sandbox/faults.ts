import { createHash } from 'node:crypto';
import { z } from 'zod';

const Share = z.number().min(0).max(1).default(0);
const Every = z.int().min(0).max(1_000_000).default(0);
const Milliseconds = z.int().min(0).max(60_000).default(0);

/** The switches of one provider. All off is the default; a share is of the requests, from 0 to 1. */
export const ProviderFaults = z.strictObject({
  /** Every answer waits this long, plus up to `latencyJitterMs`. */
  latencyMs: Milliseconds,
  latencyJitterMs: Milliseconds,
  /** Takes requests one after the other, so many a second; one whose sender is gone by its turn is dropped. 0: no limit. */
  messagesPerSecond: z.int().min(0).max(100_000).default(0),
  reject429Share: Share,
  /** Sent as Retry-After with a 429 or 503; null leaves the header out. */
  retryAfterSeconds: z.int().min(0).max(3600).nullable().default(null),
  quotaScope: z.enum(['project', 'device']).default('project'),
  status5xxShare: Share,
  status5xx: z.union([z.literal(500), z.literal(502), z.literal(503)]).default(503),
  /** This share of the addresses (always the same ones) is answered 410, or UNREGISTERED. */
  goneShare: Share,
  /** Accepts with success and delivers nothing. */
  blackHole: z.boolean().default(false),
  /** Reads the request and never answers. */
  hang: z.boolean().default(false),
  /** After each so many requests the connection gets a GOAWAY (HTTP/1.1: `Connection: close`). 0: never. */
  goawayEvery: Every,
  /** Each so many requests the TCP connection is reset instead of an answer. 0: never. */
  resetEvery: Every,
  /** Refuses the sender whatever it shows. */
  denyAuth: z
    .union([z.literal(401), z.literal(403)])
    .nullable()
    .default(null),
});
export type ProviderFaults = z.infer<typeof ProviderFaults>;

export const PROVIDERS = ['fcm', 'webPush'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Body of PUT /faults: what is not named is off. */
export const Faults = z.strictObject({
  fcm: ProviderFaults.prefault({}),
  webPush: ProviderFaults.prefault({}),
});
export type Faults = z.infer<typeof Faults>;

/** The switches as they stand now. */
export interface FaultSwitches {
  current(): Faults;
  set(faults: Faults): void;
}

export function createFaultSwitches(): FaultSwitches {
  let faults = Faults.parse({});
  return {
    current: () => faults,
    set: (next) => {
      faults = next;
    },
  };
}

/** What happens to a request's connection before anybody reads the request. */
export type ConnectionFault = 'none' | 'goaway' | 'reset' | 'hang';

/** `count` is the number of this provider's requests so far, this one included. */
export function connectionFault(faults: ProviderFaults, count: number): ConnectionFault {
  if (faults.resetEvery > 0 && count % faults.resetEvery === 0) return 'reset';
  if (faults.hang) return 'hang';
  if (faults.goawayEvery > 0 && count % faults.goawayEvery === 0) return 'goaway';
  return 'none';
}

/** What becomes of a request that would be accepted. */
export type AnswerFault = 'none' | 'throttled' | 'failed' | 'gone';

/**
 * `random` is in [0, 1). "Gone" comes first and hangs on the address alone: who is gone stays gone on the next try. The
 * other shares are parts of one throw, so that they add up.
 */
export function answerFault(faults: ProviderFaults, address: string, random: number): AnswerFault {
  if (faults.goneShare > 0 && positionOf(address) < faults.goneShare) return 'gone';
  if (random < faults.reject429Share) return 'throttled';
  if (random < faults.reject429Share + faults.status5xxShare) return 'failed';
  return 'none';
}

/** An address's own place in [0, 1). */
function positionOf(address: string): number {
  return createHash('sha256').update(address).digest().readUInt32BE(0) / 2 ** 32;
}

/** Milliseconds that an answer has to wait. */
export function latencyOf(faults: ProviderFaults, random: number): number {
  return faults.latencyMs + Math.round(faults.latencyJitterMs * random);
}
