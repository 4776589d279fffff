import { z } from 'zod';
import { AlertId } from '../alert/alert-id.ts';
import { NodeName, Shards, TransportKind } from '../envelope/envelope.ts';
import { DeviceId } from '../subscription/subscription.ts';
import { AcceptTiming } from './accept-timing.ts';

/** How the sends of one shard ended. `accepted` = the provider took it; nobody knows yet whether a device has it. */
export const OutcomeCounts = z.strictObject({
  accepted: z.int().nonnegative(),
  gone: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
  /** Ended without acceptance because the alert expired or was cancelled first. */
  dropped: z.int().nonnegative(),
});
export type OutcomeCounts = z.infer<typeof OutcomeCounts>;

/** A receipt names at most so many to try again; the rest its node tries on its own. */
export const MAX_PENDING = 20_000;

/**
 * Says that one node has gone through one shard of one alert on one transport: written after the sends, never before.
 * `pending` are the devices whose send will be tried again. A receipt with nobody pending closes the shard; one with
 * somebody pending is also the retry queue that survives its node: a peer that sees the node silent takes them over.
 */
export const CompletionReceipt = z.strictObject({
  v: z.literal(1),
  alertId: AlertId,
  transport: TransportKind,
  shard: z.int().min(0).max(1023),
  /** Into how many the audience was cut: two ingests that were given the same alert may have cut it differently. */
  shards: Shards,
  node: NodeName,
  counts: OutcomeCounts,
  pending: z.array(DeviceId).max(MAX_PENDING),
  /** This node only went through what was pending with that node: the two receipts close the shard together. */
  takenOverFrom: NodeName.optional(),
  /** When this node's sends of the shard were accepted; left out by older versions, and where nothing was. */
  timing: AcceptTiming.optional(),
  /** Rises with each receipt of this node for this shard: a late copy never undoes a newer one. */
  revision: z.int().nonnegative(),
  at: z.iso.datetime(),
});
export type CompletionReceipt = z.infer<typeof CompletionReceipt>;
