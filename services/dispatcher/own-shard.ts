import {
  type CompletionReceipt,
  MAX_PENDING,
  type OutcomeCounts,
} from '../../shared/receipt/completion-receipt.ts';
import type { Outcome } from './transports/transport.ts';

interface Pending {
  readonly attempt: number;
  readonly dueMs: number;
}

type Counts = { -readonly [Kind in keyof OutcomeCounts]: OutcomeCounts[Kind] };

/** What this node has done in one shard of one alert on one transport. */
export class OwnShard {
  readonly shard: number;
  readonly takenOverFrom: string | undefined;
  readonly counts: Counts = { accepted: 0, gone: 0, rejected: 0, dropped: 0 };
  /** Devices to try again. One that is being tried stays here until it has an outcome: a receipt never leaves it out. */
  readonly pending = new Map<string, Pending>();
  /** Every first try has an outcome. */
  settled = false;
  /** Every recipient has been handed to the transport. */
  allBegun = false;
  /**
   * Gone through with a replica that may lack people: nothing is said of it, so that a peer does it too, and it is done
   * again when the replica is whole.
   */
  isProvisional = false;
  /** First tries. */
  sent = 0;
  #outstanding = 0;
  /** When the last receipt was said (ms). */
  saidAtMs = 0;
  /** Something has changed since. */
  isUnsaid = false;
  readonly #gone: string[] = [];
  readonly #trying = new Set<string>();
  /** Of the latest receipt. */
  #revision = -1;

  constructor(shard: number, takenOverFrom?: string) {
    this.shard = shard;
    this.takenOverFrom = takenOverFrom;
  }

  /** So many sends more wait for an outcome. */
  begin(count: number): void {
    this.#outstanding += count;
    if (!this.allBegun) this.sent += count;
  }

  answered(): void {
    this.#outstanding--;
    this.isUnsaid = true;
  }

  /** Who turned out to be gone since this was asked last. */
  takeGone(): readonly string[] {
    return this.#gone.splice(0);
  }

  /** An acceptance at the first try: nobody to remember. */
  accepted(): void {
    this.counts.accepted++;
  }

  /** Some sends have no outcome yet. */
  get isWaiting(): boolean {
    return this.#outstanding > 0;
  }

  /** Notes an outcome; `again` says when to try once more. An outcome without it is final. */
  record(deviceId: string, outcome: Outcome, again: Pending | undefined): void {
    if (again) {
      this.postpone(deviceId, again);
      return;
    }
    this.#trying.delete(deviceId);
    this.pending.delete(deviceId);
    if (outcome.kind === 'accepted') this.counts.accepted++;
    else if (outcome.kind === 'gone') {
      this.counts.gone++;
      this.#gone.push(deviceId);
    } else if (outcome.kind === 'rejected') this.counts.rejected++;
    else this.counts.dropped++;
  }

  /** It stays, or comes, among those to be tried again. */
  postpone(deviceId: string, again: Pending): void {
    this.#trying.delete(deviceId);
    this.pending.set(deviceId, again);
  }

  /** At most `limit` devices whose time has come; they count as being tried until `record` is called. */
  takeDue(nowMs: number, limit: number): { deviceId: string; attempt: number }[] {
    const due: { deviceId: string; attempt: number }[] = [];
    for (const [deviceId, { attempt, dueMs }] of this.pending) {
      if (due.length === limit) break;
      if (dueMs > nowMs || this.#trying.has(deviceId)) continue;
      this.#trying.add(deviceId);
      due.push({ deviceId, attempt });
    }
    return due;
  }

  /** A device that is no longer subscribed: there is nobody to try again. */
  forget(deviceId: string): void {
    this.#trying.delete(deviceId);
    this.pending.delete(deviceId);
    this.counts.dropped++;
  }

  resumePending(deviceIds: readonly string[], nowMs: number): void {
    for (const deviceId of deviceIds) this.pending.set(deviceId, { attempt: 2, dueMs: nowMs });
  }

  /** Takes up what an earlier life of this node has written. */
  resume(receipt: CompletionReceipt, nowMs: number): void {
    Object.assign(this.counts, receipt.counts);
    this.resumePending(receipt.pending, nowMs);
    this.#revision = receipt.revision;
    this.allBegun = true;
    this.settled = true;
  }

  /** Comes after what this node has said of the shard before. */
  follow(before: OwnShard | undefined): void {
    if (before) this.#revision = before.#revision;
  }

  /**
   * The next receipt of this shard. Its revision is the time where that is more than one higher: what a node says after
   * it lost its journal is newer than what its peers hold of it, and they would never hear it else.
   */
  receipt(
    head: Pick<CompletionReceipt, 'alertId' | 'transport' | 'node' | 'shards' | 'at'>,
  ): CompletionReceipt {
    this.#revision = Math.max(this.#revision + 1, Date.parse(head.at));
    return {
      v: 1,
      ...head,
      shard: this.shard,
      counts: { ...this.counts },
      pending: [...this.pending.keys()].slice(0, MAX_PENDING),
      ...(this.takenOverFrom === undefined ? {} : { takenOverFrom: this.takenOverFrom }),
      revision: this.#revision,
    };
  }
}

export function sumCounts(all: readonly OutcomeCounts[]): OutcomeCounts {
  const sum = { accepted: 0, gone: 0, rejected: 0, dropped: 0 };
  for (const counts of all) {
    sum.accepted += counts.accepted;
    sum.gone += counts.gone;
    sum.rejected += counts.rejected;
    sum.dropped += counts.dropped;
  }
  return sum;
}
