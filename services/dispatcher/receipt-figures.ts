import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { TransportProgress } from '../../shared/receipt/progress.ts';
import { sumCounts } from './own-shard.ts';
import { RunTimings } from './run-timings.ts';

/**
 * What the receipts of one alert and transport say of it: for an alert of an earlier life of this node, which has no run
 * any more. Peers' receipts count for `acceptedKnown`, so that a node that was started again does not know of fewer
 * people than before. `receipts`: the latest of each node on each shard, as the journal keeps them. Undefined where there
 * is none. Pure.
 */
export function figuresOfReceipts(
  node: string,
  receipts: readonly CompletionReceipt[],
): TransportProgress | undefined {
  const shards = (receipts.find((receipt) => receipt.node === node) ?? receipts[0])?.shards;
  if (shards === undefined) return undefined;
  // Another ingest may have cut the same audience otherwise: its shards are the same people once more.
  const ofCut = receipts.filter((receipt) => receipt.shards === shards);
  const own = ofCut.filter((receipt) => receipt.node === node);
  const byShard = [...Map.groupBy(ofCut, ({ shard }) => shard).values()];
  const total = (read: (ofShard: readonly CompletionReceipt[]) => number) =>
    byShard.reduce((sum, ofShard) => sum + read(ofShard), 0);
  const timings = new RunTimings(node);
  for (const receipt of receipts) timings.heard(receipt);
  return {
    audience: total(peopleIn),
    counts: sumCounts(own.map((receipt) => receipt.counts)),
    pending: own.reduce((sum, receipt) => sum + receipt.pending.length, 0),
    shardsTotal: shards,
    shardsOwn: own.filter(isWhole).length,
    shardsByPeers: byShard.filter((all) => all.every((each) => each.node !== node)).length,
    acceptedKnown: total(acceptedIn),
    firstAcceptedAt: null,
    lastAcceptedAt: null,
    timings: timings.byNode(),
  };
}

/** Its node went through the whole shard, not only through what another one had left. */
function isWhole({ takenOverFrom }: CompletionReceipt): boolean {
  return takenOverFrom === undefined;
}

/** Whoever was taken over is among the pending of the receipt that is completed by it. */
function peopleIn(ofShard: readonly CompletionReceipt[]): number {
  const people = ofShard
    .filter(isWhole)
    .map(
      ({ counts, pending }) =>
        counts.accepted + counts.gone + counts.rejected + counts.dropped + pending.length,
    );
  return Math.max(0, ...people);
}

/**
 * Two nodes that did the same shard reached the same people, and so did two that took over from the same one. Who came
 * back and went on by itself has nobody pending any more: then the others reached nobody besides.
 */
function acceptedIn(ofShard: readonly CompletionReceipt[]): number {
  const accepted = ofShard.map(({ node, counts, pending }) => {
    const ofItsRest = ofShard
      .filter(({ takenOverFrom }) => takenOverFrom === node)
      .map((other) => other.counts.accepted);
    return counts.accepted + Math.min(pending.length, Math.max(0, ...ofItsRest));
  });
  return Math.max(0, ...accepted);
}
