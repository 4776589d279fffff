import { z } from 'zod';
import { TransportKind } from '../envelope/envelope.ts';

const Count = z.int().nonnegative();

/** What a dispatcher's own code finds in a copy of the registry, opened on the side. */
export const CopyCheck = z.discriminatedUnion('whole', [
  z.strictObject({
    v: z.literal(1),
    whole: z.literal(true),
    /** Active devices, the probes among them, and tombstones. */
    devices: Count,
    removed: Count,
    /** Department → transport → devices that an alert to it would reach, probes left out; departments without any too. */
    departments: z.record(z.string(), z.partialRecord(TransportKind, Count)),
    /** Records that were read whole, and found again by their ids. */
    sample: Count,
  }),
  z.strictObject({ v: z.literal(1), whole: z.literal(false), problem: z.string() }),
]);
export type CopyCheck = z.infer<typeof CopyCheck>;
