import { z } from 'zod';

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
