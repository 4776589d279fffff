import { z } from 'zod';
import { Alert } from '../alert/alert.ts';
import { AlertId } from '../alert/alert-id.ts';
import { AUDIENCES } from '../alert/audience.ts';

/** Names of sites and nodes: `a`, `paris`, `a-2`. They become NATS subject tokens and metric labels. */
export const NodeName = z.string().regex(/^[a-z0-9-]{1,16}$/);

export const LANES = ['bus', 'direct'] as const;
export const TRANSPORTS = ['fcm', 'web-push'] as const;
export const Lane = z.enum(LANES);
export const TransportKind = z.enum(TRANSPORTS);
export type Lane = z.infer<typeof Lane>;
export type TransportKind = z.infer<typeof TransportKind>;

/**
 * Canary only: the one path that this round proves. It takes both lanes like every alert; the dispatcher that is named
 * acts on the copy that came by the named lane, and by the named transport alone.
 */
export const CanaryPath = z.strictObject({
  ingest: NodeName,
  lane: Lane,
  dispatcher: NodeName,
  transport: TransportKind,
});
export type CanaryPath = z.infer<typeof CanaryPath>;

/** The number of shards is a power of two from 1 to 1024. */
export const Shards = z
  .int()
  .min(1)
  .max(1024)
  .refine((n) => (n & (n - 1)) === 0, 'must be a power of two');

/** What ingest signs and both lanes carry, as the payload of a compact JWS (EdDSA; the key id stands in its header). */
export const Envelope = z.strictObject({
  v: z.literal(1),
  id: AlertId,
  audience: z.enum(AUDIENCES),
  /** Node name of the ingest that signed. */
  issuer: NodeName,
  issuedAt: z.iso.datetime({ offset: true }),
  /** The instant (ISO, UTC) after which nothing is sent. */
  expiresAt: z.iso.datetime(),
  alert: Alert,
  /** Ids of the alerts that an Update or Cancel is about. */
  references: z.array(AlertId).max(20),
  contentHash: z.string().length(43),
  areaCodes: z.array(z.string()).min(1).max(1300),
  areaHash: z.string().length(43),
  shards: Shards,
  /** language → signed device message (compact JWS). The first language of the alert is the fallback. */
  deviceMessages: z.record(z.string(), z.string()),
  path: CanaryPath.optional(),
});
export type Envelope = z.infer<typeof Envelope> & {
  /**
   * W3C `traceparent` of the ingest that took it. It stands in the header of the signature, signed with the rest, and not
   * in the payload: a node that does not know it yet passes over it. Nothing hangs on it but logs and timelines.
   */
  readonly trace?: string;
};

/** A signed envelope is a compact JWS; anything longer is refused before it is looked at. */
export const MAX_ENVELOPE_BYTES = 512 * 1024;
