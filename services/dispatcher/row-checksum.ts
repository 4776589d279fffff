import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** One device as it stands in the replica. */
export interface DeviceRow {
  readonly n: number;
  /** {@link idHash} of the device's id. */
  readonly h: number;
  readonly version: number;
  /** Transport and finest shard ({@link placeOf}), or that of a tombstone. */
  readonly place: number;
  /** The record as text (row-format.ts). */
  readonly record: string;
  readonly checksum: number;
}

/** The columns of a row, in the order in which {@link checkedRow} takes them. */
export const ROW_COLUMNS = ['n', 'h', 'version', 'place', 'record', 'checksum'] as const;

/**
 * 48 bits that stand for a device id in the indexes: a quarter of its length. Two ids in a registry of a million share
 * them with a chance of 1 in 500; then both are still found, each by its own id. It is taken from SHA-1 so that nobody
 * can make up many ids that share them, which would make look-ups slow.
 */
export function idHash(deviceId: string): number {
  return Number.parseInt(hash('sha1', deviceId, 'hex').slice(0, 12), 16);
}

const TWO_32 = 2 ** 32;
/** Greater than every place; what is above does not count in the checksum. */
const MAX_PLACE = 0xffff;

/**
 * CRC-32 over everything that a row says: a disk that changes a bit is noticed before somebody is sent to by it.
 * It finds accidents; it is no signature.
 */
export function rowChecksum({ h, version, place, record }: Omit<DeviceRow, 'n' | 'checksum'>) {
  let seed = Math.imul((h >>> 0) ^ 0x9e3779b9, 0x85ebca6b);
  seed = Math.imul(seed ^ (seed >>> 15) ^ Math.floor(h / TWO_32), 0xc2b2ae35);
  seed = Math.imul(seed ^ (seed >>> 13) ^ (version >>> 0), 0x27d4eb2f);
  seed = Math.imul(seed ^ (seed >>> 15) ^ Math.floor(version / TWO_32), 0x165667b1);
  seed = Math.imul(seed ^ (seed >>> 13) ^ place, 0x9e3779b1);
  return crc32(record, (seed ^ (seed >>> 16)) >>> 0);
}

/** The row behind the six columns of `raw` from `at` on, or undefined when it is not what was written. */
export function checkedRow(raw: readonly unknown[], at = 0): DeviceRow | undefined {
  const n = raw[at];
  const h = raw[at + 1];
  const version = raw[at + 2];
  const place = raw[at + 3];
  const record = raw[at + 4];
  const checksum = raw[at + 5];
  if (typeof n !== 'number' || typeof h !== 'number' || typeof version !== 'number')
    return undefined;
  if (typeof record !== 'string' || typeof place !== 'number' || place > MAX_PLACE)
    return undefined;
  const row = { n, h, version, place, record, checksum: Number(checksum) };
  return rowChecksum(row) === checksum ? row : undefined;
}
