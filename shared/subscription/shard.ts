/** There are this many finest shards; an alert with fewer groups them. */
export const FINEST_SHARDS = 1024;

/**
 * FNV-1a of the device id, folded to 10 bits: the finest shard of a subscription. It is a pure function of the id, so
 * every replica cuts the audience in the same places without talking.
 */
export function finestShard(deviceId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < deviceId.length; i++) {
    hash ^= deviceId.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return ((hash >>> 0) ^ (hash >>> 16)) & (FINEST_SHARDS - 1);
}

/** The finest shards [from, to) that make up shard `shard` of an alert cut into `shards` (a power of two). */
export function finestRange(shard: number, shards: number): { from: number; to: number } {
  const width = FINEST_SHARDS / shards;
  return { from: shard * width, to: (shard + 1) * width };
}
