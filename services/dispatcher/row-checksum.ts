import { crc32 } from 'node:zlib';
import { z } from 'zod';

/** One device as it stands in the replica. `record` is the registry record as JSON. */
export const DeviceRow = z.object({
  n: z.int(),
  device_id: z.string(),
  version: z.int(),
  active: z.int(),
  transport: z.string(),
  shard: z.int(),
  probe: z.int(),
  record: z.string(),
  checksum: z.int(),
});
export type DeviceRow = z.infer<typeof DeviceRow>;

/**
 * CRC-32 over everything that a row says: a disk that changes a bit is noticed before somebody is sent to by it.
 * It finds accidents; it is no signature.
 */
export function rowChecksum(row: Omit<DeviceRow, 'n' | 'checksum'>): number {
  const { device_id, version, active, transport, shard, probe, record } = row;
  return crc32(`${device_id}|${version}|${active}|${transport}|${shard}|${probe}|${record}`);
}

/** The row, or undefined when it is not what was written. */
export function checkedRow(raw: unknown): DeviceRow | undefined {
  const { data } = DeviceRow.safeParse(raw);
  return data && rowChecksum(data) === data.checksum ? data : undefined;
}
