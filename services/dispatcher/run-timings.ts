import { type AcceptTiming, TimingTally } from '../../shared/receipt/accept-timing.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';

type Word = Pick<CompletionReceipt, 'node' | 'shard' | 'revision' | 'timing'>;

/**
 * When the sends of one alert on one transport were accepted, shard by shard: this node's own, and what peers' receipts
 * say of theirs. A later receipt of a node for a shard replaces the one before it, as everywhere.
 */
export class RunTimings {
  readonly #self: string;
  readonly #own = new Map<number, TimingTally>();
  /** By `<node> <shard>`. */
  readonly #peers = new Map<string, Word>();

  constructor(self: string) {
    this.#self = self;
  }

  accepted(shard: number, afterMs: number): void {
    this.#tally(shard).add(afterMs);
  }

  /** A peer's receipt, or one that this node wrote in an earlier life. */
  heard(receipt: Word): void {
    const { node, shard, revision, timing } = receipt;
    if (timing === undefined) return;
    if (node === this.#self) {
      this.#tally(shard).merge(timing);
      return;
    }
    const key = `${node} ${shard}`;
    if ((this.#peers.get(key)?.revision ?? -1) < revision)
      this.#peers.set(key, { node, shard, revision, timing });
  }

  /** This node's own part of a shard, for its receipt. */
  of(shard: number): AcceptTiming | undefined {
    return this.#own.get(shard)?.timing;
  }

  byNode(): Record<string, AcceptTiming> {
    const tallies = new Map<string, TimingTally>();
    const add = (node: string, timing: AcceptTiming | undefined) => {
      if (timing === undefined) return;
      const tally = tallies.get(node) ?? new TimingTally();
      tallies.set(node, tally);
      tally.merge(timing);
    };
    for (const { timing } of this.#own.values()) add(this.#self, timing);
    for (const { node, timing } of this.#peers.values()) add(node, timing);
    return Object.fromEntries(
      [...tallies].flatMap(([node, { timing }]) => (timing === undefined ? [] : [[node, timing]])),
    );
  }

  #tally(shard: number): TimingTally {
    const known = this.#own.get(shard);
    if (known) return known;
    const tally = new TimingTally();
    this.#own.set(shard, tally);
    return tally;
  }
}
