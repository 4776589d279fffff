import { z } from 'zod';
import { DeviceId, Subscription } from './subscription.ts';

/**
 * The last state of one device in the REGISTRY streams. `version` orders the states of one device across sites (the
 * union of the sites' streams is the truth): milliseconds since 1970, and never less than the one before.
 */
const version = z.int().positive();

export const ActiveRecord = z.strictObject({
  v: z.literal(1),
  state: z.literal('active'),
  version,
  /** Probes are the canary's receivers: they live in the reserved area and hear every public alert too. */
  probe: z.boolean(),
  subscription: Subscription,
  lastHeardAt: z.iso.datetime(),
  /**
   * SHA-256 (base64url) of the secret that the device made: whoever shows the secret may change the record, at any edge
   * of any site. Absent for imported devices, which only an import may change. A tombstone forgets it.
   */
  secretHash: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
});

export const TombstoneRecord = z.strictObject({
  v: z.literal(1),
  state: z.literal('removed'),
  version,
  deviceId: DeviceId,
  /** `gone`: the provider said so (P9); `unsubscribed`: the person did. */
  reason: z.enum(['gone', 'unsubscribed']),
});

export const RegistryRecord = z.discriminatedUnion('state', [ActiveRecord, TombstoneRecord]);
export type RegistryRecord = z.infer<typeof RegistryRecord>;
export type ActiveRecord = z.infer<typeof ActiveRecord>;

export function recordDeviceId(record: RegistryRecord): string {
  return record.state === 'active' ? record.subscription.deviceId : record.deviceId;
}
