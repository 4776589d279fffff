import { type CompletionReceipt, MAX_PENDING } from '../../shared/receipt/completion-receipt.ts';
import type { ShardReceipt } from './ring.ts';

/** What is kept of a peer's word. */
export interface HeardReceipt extends ShardReceipt {
  readonly revision: number;
  readonly accepted: number;
  readonly pending: readonly string[];
  /** Since when it has somebody to try again and nobody accepted; by this node's clock (ms). */
  readonly fruitlessSinceMs: number | undefined;
}

const NONE: readonly HeardReceipt[] = [];

/** What peers have said of the shards of one alert on one transport: the latest word of each on each. */
export class HeardReceipts {
  readonly #shards: number;
  readonly #byShard = new Map<number, readonly HeardReceipt[]>();
  /** Peers that cut the audience otherwise: none of them will ever close a shard of ours, however well it is proved. */
  readonly #cutOtherwise = new Set<string>();

  /** `shards`: into how many this node cuts the audience. */
  constructor(shards: number) {
    this.#shards = shards;
  }

  of(shard: number): readonly HeardReceipt[] {
    return this.#byShard.get(shard) ?? NONE;
  }

  from(shard: number, node: string): HeardReceipt | undefined {
    return this.of(shard).find((each) => each.node === node);
  }

  get all(): Iterable<readonly [number, readonly HeardReceipt[]]> {
    return this.#byShard;
  }

  cutsOtherwise(node: string): boolean {
    return this.#cutOtherwise.has(node);
  }

  /**
   * Returns whether it was news. A peer that got the alert from another ingest may have cut the audience otherwise: its
   * shards are not ours.
   */
  hear(receipt: CompletionReceipt, nowMs: number): boolean {
    const { shard, node, revision, counts, pending, takenOverFrom } = receipt;
    if (receipt.shards !== this.#shards) {
      this.#noteOtherCut(node);
      return false;
    }
    const hasPending = pending.length > 0;
    if (this.#cutOtherwise.has(node) && hasPending) return false;
    const before = this.from(shard, node);
    if (before && before.revision >= revision) return false;
    const others = this.of(shard).filter((each) => each !== before);
    const isFruitless = hasPending && counts.accepted === 0;
    const word: HeardReceipt = {
      node,
      takenOverFrom,
      heardAtMs: nowMs,
      revision,
      pending,
      hasPending,
      namesAll: pending.length < MAX_PENDING,
      accepted: counts.accepted,
      isFruitless,
      fruitlessSinceMs: isFruitless ? (before?.fruitlessSinceMs ?? nowMs) : undefined,
    };
    this.#byShard.set(shard, [...others, word]);
    return true;
  }

  /** It went by our cut once and has lost that journal: whom it was to try again in our shards it has forgotten. */
  #noteOtherCut(node: string): void {
    this.#cutOtherwise.add(node);
    for (const [shard, receipts] of this.#byShard) {
      const left = receipts.filter((each) => each.node !== node || !each.hasPending);
      if (left.length === 0) this.#byShard.delete(shard);
      else if (left.length < receipts.length) this.#byShard.set(shard, left);
    }
  }
}
