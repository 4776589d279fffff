const SUBSCRIPTIONS_PER_SHARD = 2_000;
const MAX_SHARDS = 1_024;

/** What is assumed when no dispatcher can say how large the audience is: a large department. */
export const ASSUMED_AUDIENCE = 200_000;

/**
 * Into how many shards an audience is cut: a power of two, about 2,000 subscriptions each, 1 to 1024.
 *
 * A small audience is cut finer. A shard is the least that one node can leave to another: with a single one, two nodes
 * would both do all of it, and a node that dies half-way would leave all of it to be done again. 16 shards for 128
 * subscriptions and 4 for 16 let two nodes meet in the middle, at the price of a few more receipts.
 */
export function shardCount(subscriptions: number): number {
  const floor = subscriptions >= 128 ? 16 : subscriptions >= 16 ? 4 : 1;
  let shards = floor;
  while (shards < MAX_SHARDS && shards * SUBSCRIPTIONS_PER_SHARD < subscriptions) shards *= 2;
  return shards;
}
