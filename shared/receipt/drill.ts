import { z } from 'zod';
import { NodeName, TransportKind } from '../envelope/envelope.ts';
import { DeviceId } from '../subscription/subscription.ts';

/** What is tried on purpose on a living system; docs/drills.md says what each does to it. */
export const DRILL_KINDS = ['dead-receiver', 'restart', 'restore', 'correction'] as const;
export type DrillKind = (typeof DRILL_KINDS)[number];

const Seconds = z.number().nonnegative().max(86_400);

/**
 * One drill that took place, also one that failed: how long it took until somebody would have been called, until all was
 * well again, until a correction had reached everybody. What a kind of drill does not measure is absent.
 */
export const DrillRecord = z.strictObject({
  v: z.literal(1),
  kind: z.enum(DRILL_KINDS),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  ok: z.boolean(),
  measures: z.strictObject({
    toPageSeconds: Seconds.optional(),
    toRecoverySeconds: Seconds.optional(),
    toCorrectionSeconds: Seconds.optional(),
  }),
  /** Who ran it. */
  by: z.string().min(1).max(80),
  /** What was tried, how it was measured, and what went wrong. */
  note: z.string().max(500).optional(),
});
export type DrillRecord = z.infer<typeof DrillRecord>;

/** Answer of a canary's `GET /v1/drills`: newest first. */
export const DrillsAnswer = z.strictObject({ v: z.literal(1), drills: z.array(DrillRecord) });
export type DrillsAnswer = z.infer<typeof DrillsAnswer>;

/** The same drill has the same key on every canary: nobody begins two of one kind in the same millisecond. */
export function drillKey({ kind, startedAt, by }: DrillRecord): string {
  return `${kind} ${startedAt} ${by}`;
}

/** A drill's test messages carry a nonce that begins so: a canary counts who heard them, and takes none for a round. */
export const DRILL_NONCE_PREFIX = 'drill-';
/** A probe is made deaf for so long at most; then it hears again by itself. */
const MAX_DEAF_SECONDS = 600;

/** A probe of a canary, for drills: whom a test message has to name, and whether it is deaf on purpose. */
export const ProbeView = z.strictObject({
  name: z.string().max(60),
  transport: TransportKind,
  deviceId: DeviceId,
  connected: z.boolean(),
  /** By the canary's clock; null while it hears. */
  deafUntil: z.iso.datetime().nullable(),
});
export type ProbeView = z.infer<typeof ProbeView>;

/** Answer of a canary's `GET /v1/probes`: the probes that are always on. */
export const ProbesAnswer = z.strictObject({
  v: z.literal(1),
  canary: NodeName,
  probes: z.array(ProbeView).max(50),
});
export type ProbesAnswer = z.infer<typeof ProbesAnswer>;

/** Body of `POST /v1/probes/{name}`. A length of time, so that clocks need not agree; 0: hear again. */
export const DeafRequest = z.strictObject({ deafForSeconds: z.int().min(0).max(MAX_DEAF_SECONDS) });
