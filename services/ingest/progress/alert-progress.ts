import { z } from 'zod';
import { Alert } from '../../../shared/alert/alert.ts';
import { AlertId } from '../../../shared/alert/alert-id.ts';
import { Lane, NodeName, TransportKind } from '../../../shared/envelope/envelope.ts';
import { DeviceReceiptCounts } from '../../../shared/receipt/device-receipt.ts';
import { ALERT_STATES } from '../../../shared/receipt/progress.ts';
import { AcceptedAnswer, Durability } from '../accept/accepted-answer.ts';

const count = z.int().nonnegative();

const seconds = z.number().nonnegative();

/**
 * Time from `issuedAt` (ingest signs, right before it answers 202) to the provider's acceptance, over all dispatchers.
 * `counted` are acceptances: a device that two nodes sent to counts with both.
 */
export const MergedTiming = z.strictObject({
  from: z.literal('issuedAt'),
  counted: count,
  firstSeconds: seconds,
  p50Seconds: seconds,
  p95Seconds: seconds,
  p99Seconds: seconds,
  lastSeconds: seconds,
});
export type MergedTiming = z.infer<typeof MergedTiming>;

/** One transport over all dispatchers. `accepted` = the provider took it; whether a device has it, receipts say. */
export const MergedTransport = z.strictObject({
  audience: count,
  accepted: count,
  gone: count,
  rejected: count,
  pending: count,
  firstAcceptedAt: z.iso.datetime().nullable(),
  lastAcceptedAt: z.iso.datetime().nullable(),
  timing: MergedTiming.nullable(),
});
export type MergedTransport = z.infer<typeof MergedTransport>;

/** One dispatcher's part; `no-answer` is said, not left out: a silent node is news. */
export const NodeProgress = z.strictObject({
  node: NodeName,
  site: NodeName,
  state: z.enum([...ALERT_STATES, 'unknown-alert', 'no-answer']),
  lanes: z.array(Lane),
  receivedAt: z.iso.datetime().nullable(),
  transports: z.partialRecord(
    TransportKind,
    z.strictObject({
      accepted: count,
      gone: count,
      rejected: count,
      pending: count,
      shardsOwn: count,
      shardsByPeers: count,
      shardsTotal: count,
    }),
  ),
});
export type NodeProgress = z.infer<typeof NodeProgress>;

const PROGRESS_STATES = [...ALERT_STATES, 'unknown', 'not-stored'] as const;

/** Body of `GET /v1/alerts/{id}`. */
export const AlertProgress = z.strictObject({
  id: AlertId,
  identifier: z.string(),
  state: z.enum(PROGRESS_STATES),
  /** When it was signed, to the millisecond (CAP's `sent` has whole seconds). */
  issuedAt: z.iso.datetime({ offset: true }),
  expiresAt: z.iso.datetime(),
  alert: Alert,
  /** What its author was told; null when another ingest took it. */
  durability: Durability.nullable(),
  storedBy: AcceptedAnswer.shape.storedBy,
  nodes: z.array(NodeProgress),
  transports: z.partialRecord(TransportKind, MergedTransport),
  probes: z.strictObject({
    /** Distinct probes that received, decrypted and verified it. */
    received: count,
    /** Probes that the canaries which answered have registered; never less than `received`. */
    total: count,
    /** Seconds from `issuedAt` until the last of those had it; null while none has. */
    afterSeconds: seconds.nullable(),
    known: z.array(
      z.strictObject({
        probe: z.string(),
        transport: TransportKind,
        via: NodeName,
        receivedAt: z.iso.datetime(),
      }),
    ),
  }),
  deviceReceipts: DeviceReceiptCounts,
});
export type AlertProgress = z.infer<typeof AlertProgress>;
