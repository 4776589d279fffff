import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { ProofReport } from '../../shared/receipt/proof.ts';
import type { SimEnvelope } from './sim-envelope.ts';
import type { Party, World } from './world.ts';

export type Talk =
  | { readonly type: 'receipt'; readonly receipt: CompletionReceipt }
  | { readonly type: 'proofs'; readonly report: ProofReport; readonly storedAtMs: number };

/** A dispatcher as the bus sees it. */
export interface BusReader extends Party {
  /** The name of its durable consumer. */
  readonly consumer: string;
  /** False: it was not taken (the node went down in the middle), and comes again. */
  readonly takeFromBus: (envelope: SimEnvelope) => boolean;
  readonly takeTalk: (talk: Talk) => void;
  /** What this life of the reader has read of a site's talk; its own memory, gone with a crash. */
  readonly talkCursors: Map<string, { created: number; read: number }>;
}

/** Bytes of old receipts and proofs are kept by age in production; here the last so many. */
const MAX_TALK = 20_000;

/** One site's bus: what it acknowledged is on its disk; readers get everything at least once, in pieces, late, again. */
export class SimBus implements Party {
  readonly name: string;
  readonly site: string;
  readonly #world: World;
  readonly #offsetMs: number;
  #readers: readonly BusReader[] = [];
  #alerts: SimEnvelope[] = [];
  #talk: Talk[] = [];
  /** Positions of durable consumers: the server's. */
  readonly #acknowledged = new Map<string, number>();
  readonly #flushing = new Set<string>();
  #created = 0;
  isDown = false;

  constructor(site: { name: string; offsetMs: number }, world: World) {
    this.site = site.name;
    this.name = `bus-${site.name}`;
    this.#offsetMs = site.offsetMs;
    this.#world = world;
  }

  connect(readers: readonly BusReader[]): void {
    this.#readers = readers;
  }

  take(work: () => void): void {
    if (!this.isDown) work();
  }

  holds(id: string): boolean {
    return this.#alerts.some((envelope) => envelope.id === id);
  }

  /** Stored and synced when it returns. The same id within the window is not stored twice. */
  storeAlert(envelope: SimEnvelope): void {
    if (!this.holds(envelope.id)) this.#alerts.push(envelope);
    this.#flushAll();
  }

  /** What this reader has not acknowledged yet. */
  unreadBy(reader: BusReader): readonly SimEnvelope[] {
    return this.#alerts.slice(this.#acknowledged.get(reader.consumer) ?? 0);
  }

  storeReceipt(receipt: CompletionReceipt): void {
    this.#store({ type: 'receipt', receipt });
  }

  storeProofs(report: ProofReport): void {
    this.#store({ type: 'proofs', report, storedAtMs: this.#world.nowMs + this.#offsetMs });
  }

  loseDisk(): void {
    this.#alerts = [];
    this.#talk = [];
    this.#acknowledged.clear();
    this.#created++;
  }

  /** It is back, or the way to it is: readers go on. */
  wake(): void {
    this.#flushAll();
  }

  #store(talk: Talk): void {
    if (this.#talk.length < MAX_TALK) this.#talk.push(talk);
    this.#flushAll();
  }

  #flushAll(): void {
    for (const reader of this.#readers) this.#planFlush(reader, this.#world.random.between(1, 60));
  }

  #planFlush(reader: BusReader, delayMs: number): void {
    if (this.#flushing.has(reader.name)) return;
    this.#flushing.add(reader.name);
    this.#world.after(delayMs, () => {
      this.#flushing.delete(reader.name);
      this.#flush(reader);
    });
  }

  /** Hands over what the reader lacks; what does not arrive is tried again. */
  #flush(reader: BusReader): void {
    const { random, net } = this.#world;
    if (this.isDown || !this.#hasNewsFor(reader)) return;
    const isReached = !this.#world.isCut(this.name, reader.name) && !random.chance(net.lost);
    if (isReached) reader.take(() => this.#handOver(reader));
    this.#planFlush(reader, isReached ? 10_000 : 1_000);
  }

  #hasNewsFor(reader: BusReader): boolean {
    const cursor = reader.talkCursors.get(this.site);
    const read = cursor?.created === this.#created ? cursor.read : 0;
    return (
      (this.#acknowledged.get(reader.consumer) ?? 0) < this.#alerts.length ||
      read < this.#talk.length
    );
  }

  #handOver(reader: BusReader): void {
    const { random, net } = this.#world;
    const again = random.chance(net.repeated) ? random.below(4) : 0;
    const from = Math.max(0, (this.#acknowledged.get(reader.consumer) ?? 0) - again);
    for (const [i, envelope] of this.#alerts.slice(from).entries()) {
      if (!reader.takeFromBus(envelope)) return;
      // A lost acknowledgement only brings the message again.
      if (!random.chance(net.lost)) this.#acknowledged.set(reader.consumer, from + i + 1);
    }
    const cursor = reader.talkCursors.get(this.site);
    const read = cursor?.created === this.#created ? Math.max(0, cursor.read - again) : 0;
    reader.talkCursors.set(this.site, { created: this.#created, read: this.#talk.length });
    for (const talk of this.#talk.slice(read)) reader.takeTalk(talk);
  }
}
