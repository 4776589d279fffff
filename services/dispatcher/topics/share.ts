import { finestShard } from '../../../shared/subscription/shard.ts';

/** A peer that restarts keeps its share; only one that stays away for so long leaves it to others. */
const LEFT_AFTER_MS = 600_000;

/** Which node keeps a device's memberships: each node its shards, those of a node that is away the next one that is not. */
export function keeperOf(
  deviceId: string,
  nodes: readonly string[],
  isAway: (node: string) => boolean,
): string | undefined {
  const first = finestShard(deviceId) % Math.max(1, nodes.length);
  const inOrder = [...nodes.slice(first), ...nodes.slice(0, first)];
  return inOrder.find((node) => !isAway(node)) ?? inOrder[0];
}

/** Tells which peers have been silent for so long that their share is others' now. Asked now and then, it remembers. */
export function watchAway(
  silent: (node: string) => boolean,
): (node: string, nowMs: number) => boolean {
  const sinceMs = new Map<string, number>();
  return (node, nowMs) => {
    if (!silent(node)) {
      sinceMs.delete(node);
      return false;
    }
    const since = sinceMs.get(node) ?? nowMs;
    sinceMs.set(node, since);
    return nowMs - since >= LEFT_AFTER_MS;
  };
}
