import { createHash } from 'node:crypto';
import { z } from 'zod';
import { NodeName } from '../../shared/envelope/envelope.ts';

/** The certificate a provider shows: its own, or one that a sender must not trust. */
export const CERTIFICATES = ['good', 'expired', 'wrong-name'] as const;
export type CertificateChoice = (typeof CERTIFICATES)[number];

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
  /** FCM only: swallows what says that it comes from this node, and nothing else. Web Push hides who sends. */
  blackHoleNode: NodeName.nullable().default(null),
  /** Answers come byte by byte, so long apart; HTTP/2's headers come whole. 0: as fast as they can. */
  trickleMs: z.int().min(0).max(5_000).default(0),
  /** What the provider's address shows to whoever connects. */
  certificate: z.enum(CERTIFICATES).default('good'),
  /** Reads the request and never answers. */
  hang: z.boolean().default(false),
  /** After each so many requests the connection gets a GOAWAY (HTTP/1.1: `Connection: close`). 0: never. */
  goawayEvery: Every,
  /**
   * Each so many requests the connection gets a GOAWAY with an error that leaves this request and all later ones out, and
   * ends with whatever was in flight on it (HTTP/1.1: it ends). 0: never.
   */
  abruptGoawayEvery: Every,
  /** Each so many requests the TCP connection is reset instead of an answer. 0: never. */
  resetEvery: Every,
  /** Refuses the sender whatever it shows. */
  denyAuth: z
    .union([z.literal(401), z.literal(403)])
    .nullable()
    .default(null),
  /**
   * The sender's credentials are withdrawn. FCM: no access tokens, and those given so far are 401 for good. Web Push: 403.
   */
  revoked: z.boolean().default(false),
});
export type ProviderFaults = z.infer<typeof ProviderFaults>;

export const PROVIDERS = ['fcm', 'webPush'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** The switches of the self-hosted push service. */
const UnifiedPushFaults = z.strictObject({
  /** Not there: connections end, and new ones at once. */
  down: z.boolean().default(false),
  /** Accepts with success and delivers nothing. */
  blackHole: z.boolean().default(false),
});

/** Body of PUT /faults: what is not named is off. */
export const Faults = z.strictObject({
  fcm: ProviderFaults.prefault({}),
  webPush: ProviderFaults.prefault({}),
  unifiedPush: UnifiedPushFaults.prefault({}),
});
export type Faults = z.infer<typeof Faults>;

/** The switches as they stand now. */
export interface FaultSwitches {
  current(): Faults;
  set(faults: Faults): void;
  /** Calls it after each change. */
  watch(onSet: () => void): void;
}

export function createFaultSwitches(): FaultSwitches {
  let faults = Faults.parse({});
  const watchers: (() => void)[] = [];
  return {
    current: () => faults,
    set: (next) => {
      faults = next;
      for (const onSet of watchers) onSet();
    },
    watch: (onSet) => {
      watchers.push(onSet);
    },
  };
}

/** What happens to a request's connection before anybody reads the request. */
export type ConnectionFault = 'none' | 'goaway' | 'abrupt-goaway' | 'reset' | 'hang';

/** `count` is the number of this provider's requests so far, this one included. */
export function connectionFault(faults: ProviderFaults, count: number): ConnectionFault {
  const isTurn = (every: number) => every > 0 && count % every === 0;
  if (isTurn(faults.resetEvery)) return 'reset';
  if (faults.hang) return 'hang';
  if (isTurn(faults.abruptGoawayEvery)) return 'abrupt-goaway';
  return isTurn(faults.goawayEvery) ? 'goaway' : 'none';
}

/** Is a message of this node taken and thrown away? `via` is what an FCM message says, and may be anything. */
export function isSwallowed(faults: ProviderFaults, via: unknown): boolean {
  return faults.blackHole || (faults.blackHoleNode !== null && via === faults.blackHoleNode);
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

/** An address's own place in [0, 1): those below `goneShare` are gone. */
export function positionOf(address: string): number {
  return createHash('sha256').update(address).digest().readUInt32BE(0) / 2 ** 32;
}

/** Milliseconds that an answer has to wait. */
export function latencyOf(faults: ProviderFaults, random: number): number {
  return faults.latencyMs + Math.round(faults.latencyJitterMs * random);
}
