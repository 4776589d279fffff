import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { TransportProgress } from '../../shared/receipt/progress.ts';
import { sumCounts } from './own-shard.ts';
import { RunTimings } from './run-timings.ts';

/**
 * What the receipts of one alert and transport say of it: for an alert of an earlier life of this node, which has no run
 * any more. Peers' receipts count for `acceptedKnown`, so that a node that was started again does not know of fewer
 * people than before. Undefined where there is none. Pure.
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
  const total = (read: (receipt: CompletionReceipt) => number) =>
    byShard.reduce((sum, ofShard) => sum + ofOneShard(ofShard, read), 0);
  const timings = new RunTimings(node);
  for (const receipt of receipts) timings.heard(receipt);
  return {
    audience: total(({ counts, pending, takenOverFrom }) =>
      // Who was taken over is among the pending of the receipt that it completes.
      takenOverFrom === undefined
        ? counts.accepted + counts.gone + counts.rejected + counts.dropped + pending.length
        : 0,
    ),
    counts: sumCounts(own.map((receipt) => receipt.counts)),
    pending: own.reduce((sum, receipt) => sum + receipt.pending.length, 0),
    shardsTotal: shards,
    shardsOwn: own.filter(({ takenOverFrom }) => takenOverFrom === undefined).length,
    shardsByPeers: byShard.filter((all) => all.every((each) => each.node !== node)).length,
    acceptedKnown: total(({ counts }) => counts.accepted),
    firstAcceptedAt: null,
    lastAcceptedAt: null,
    timings: timings.byNode(),
  };
}

/** Two nodes that did the same shard reached the same people; who takes over from another reaches the rest. */
function ofOneShard(
  receipts: readonly CompletionReceipt[],
  read: (receipt: CompletionReceipt) => number,
): number {
  const whole = receipts.filter(({ takenOverFrom }) => takenOverFrom === undefined).map(read);
  const rest = receipts.filter(({ takenOverFrom }) => takenOverFrom !== undefined).map(read);
  return Math.max(0, ...whole) + rest.reduce((sum, each) => sum + each, 0);
}
