import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { SimEnvelope } from './sim-envelope.ts';
import type { SimCursor, SimJournal } from './sim-journal.ts';
import type { Party, World } from './world.ts';

const CATCH_UP_MS = 2_000;
const FLUSH_MS = 50;
const AGAIN_MS = 1_000;
const BATCH = 100;
const TIMEOUT_MS = 2_000;
const SILENT_AFTER_MS = 5_000;
export const MAX_QUEUED = 5_000;

/** Another dispatcher, as the direct way reaches it. */
export interface Peer extends Party {
  readonly journal: SimJournal;
  readonly movingSinceMs: number | undefined;
  readonly takeReceipt: (receipt: CompletionReceipt) => void;
}

interface Deps {
  readonly self: Party;
  readonly world: World;
  readonly now: () => number;
  readonly later: (delayMs: number, work: () => void) => void;
  /** True as long as this life of the node goes on. */
  readonly isAlive: () => boolean;
  readonly takeAlert: (envelope: SimEnvelope) => void;
  readonly takeReceipt: (receipt: CompletionReceipt) => void;
  readonly onHeard: (node: string) => void;
}

/** The direct way between dispatchers, by the rules of `peers.ts`: push, ask every two seconds, silence after five. */
export class SimLinks {
  readonly #deps: Deps;
  readonly #heardAtMs: Map<string, number>;
  readonly #unanswering = new Set<string>();
  readonly #queues = new Map<string, CompletionReceipt[]>();
  readonly #peers: readonly Peer[];

  constructor(peers: readonly Peer[], deps: Deps) {
    this.#deps = deps;
    this.#peers = peers;
    this.#heardAtMs = new Map(peers.map(({ name }) => [name, deps.now()]));
    for (const peer of peers) {
      this.#queues.set(peer.name, []);
      this.#catchUp(peer, undefined);
    }
  }

  get longestQueue(): number {
    return Math.max(0, ...[...this.#queues.values()].map(({ length }) => length));
  }

  heardFrom(node: string): void {
    if (!this.#heardAtMs.has(node)) return;
    this.#heardAtMs.set(node, this.#deps.now());
    this.#unanswering.delete(node);
    this.#deps.onHeard(node);
  }

  /** All that a peer has now, at once; `done` also when it does not answer. */
  ask(peer: Peer, done: () => void): void {
    const { world, self, isAlive, takeAlert } = this.#deps;
    world.request(
      self,
      peer,
      TIMEOUT_MS,
      () => peer.journal.after(undefined).entries,
      (entries) => {
        if (!isAlive()) return;
        if (entries) this.heardFrom(peer.name);
        for (const envelope of entries ?? []) takeAlert(envelope);
        done();
      },
    );
  }

  unanswering(node: string): boolean {
    return this.#unanswering.has(node);
  }

  silent(node: string): boolean {
    return this.#deps.now() - (this.#heardAtMs.get(node) ?? 0) > SILENT_AFTER_MS;
  }

  say(receipt: CompletionReceipt): void {
    for (const peer of this.#peers) {
      const queue = this.#queues.get(peer.name) ?? [];
      if (queue.length >= MAX_QUEUED) queue.shift();
      queue.push(receipt);
      if (queue.length === 1) this.#deps.later(FLUSH_MS, () => this.#push(peer, queue));
    }
  }

  #push(peer: Peer, queue: CompletionReceipt[]): void {
    const batch = queue.slice(0, BATCH);
    const { world, self, isAlive, later } = this.#deps;
    const take = () => {
      for (const receipt of batch) peer.takeReceipt(receipt);
      return true;
    };
    world.request(self, peer, TIMEOUT_MS, take, (isTaken) => {
      if (!isAlive()) return;
      if (isTaken) {
        queue.splice(0, batch.length);
        this.heardFrom(peer.name);
      } else this.#unanswering.add(peer.name);
      if (queue.length > 0) later(isTaken ? FLUSH_MS : AGAIN_MS, () => this.#push(peer, queue));
    });
  }

  #catchUp(peer: Peer, cursor: SimCursor | undefined): void {
    const { world, self, isAlive, later, takeAlert, takeReceipt } = this.#deps;
    world.request(
      self,
      peer,
      TIMEOUT_MS,
      () => peer.journal.after(cursor),
      (page) => {
        if (!isAlive()) return;
        later(CATCH_UP_MS, () => this.#catchUp(peer, page?.cursor ?? cursor));
        if (page === undefined) {
          this.#unanswering.add(peer.name);
          return;
        }
        this.heardFrom(peer.name);
        for (const envelope of page.entries) takeAlert(envelope);
        for (const receipt of page.receipts) takeReceipt(receipt);
      },
    );
  }
}
