import { z } from 'zod';
import { AlertId } from '../alert/alert-id.ts';
import { Lane, NodeName, TransportKind } from '../envelope/envelope.ts';
import { AcceptTiming } from './accept-timing.ts';
import { OutcomeCounts } from './completion-receipt.ts';

export const ALERT_STATES = ['sending', 'done', 'expired', 'cancelled', 'journaled'] as const;

/** One transport of one alert as one dispatcher sees it. Counts are this node's own sends. */
export const TransportProgress = z.strictObject({
  /** Recipients in the area, in this node's replica. */
  audience: z.int().nonnegative(),
  counts: OutcomeCounts,
  pending: z.int().nonnegative(),
  shardsTotal: z.int().nonnegative(),
  /** Shards closed by this node. */
  shardsOwn: z.int().nonnegative(),
  /** Shards left to a peer whose receipt is trusted. */
  shardsByPeers: z.int().nonnegative(),
  /** Recipients reached by anybody, as far as this node knows: closed shards of its own and of peers. */
  acceptedKnown: z.int().nonnegative(),
  firstAcceptedAt: z.iso.datetime().nullable(),
  lastAcceptedAt: z.iso.datetime().nullable(),
  /**
   * By node: its own sends, and those of peers as far as their receipts came here, so that a node that died still has
   * its part in the whole. Left out by older versions.
   */
  timings: z.record(NodeName, AcceptTiming).optional(),
});
export type TransportProgress = z.infer<typeof TransportProgress>;

/** Answer of `GET /v1/alerts/{id}/progress` on a dispatcher. */
export const DispatchProgress = z.strictObject({
  v: z.literal(1),
  node: NodeName,
  site: NodeName,
  alertId: AlertId,
  state: z.enum(ALERT_STATES),
  lanes: z.array(Lane),
  receivedAt: z.iso.datetime(),
  transports: z.partialRecord(TransportKind, TransportProgress),
});
export type DispatchProgress = z.infer<typeof DispatchProgress>;

/** Answer of `POST /v1/intake` on a dispatcher. `stored` means: in its journal, synced to disk. */
export const IntakeAnswer = z.strictObject({
  v: z.literal(1),
  result: z.enum(['stored', 'duplicate']),
  site: NodeName,
  node: NodeName,
});
export type IntakeAnswer = z.infer<typeof IntakeAnswer>;

/** Answer of `GET /v1/audience?area=06088&area=…` on a dispatcher: subscriptions in the area, probes left out. */
export const AudienceAnswer = z.strictObject({
  v: z.literal(1),
  counts: z.partialRecord(TransportKind, z.int().nonnegative()),
});
export type AudienceAnswer = z.infer<typeof AudienceAnswer>;
