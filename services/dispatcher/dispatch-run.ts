import type { Envelope, TransportKind } from '../../shared/envelope/envelope.ts';
import type { CompletionReceipt, OutcomeCounts } from '../../shared/receipt/completion-receipt.ts';
import type { TransportProgress } from '../../shared/receipt/progress.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { DispatcherEvents } from './events.ts';
import type { FairShare, LaneOfWork, ShareHolder } from './fair-share.ts';
import type { JournalState } from './journal.ts';
import { OwnShard, sumCounts } from './own-shard.ts';
import type { Recipient, RecipientFilter, Registry } from './registry.ts';
import { retryAtMs } from './retry-policy.ts';
import { nextStep, ownArc, type RingView, type ShardReceipt, shardOrder } from './ring.ts';
import type { Outcome, OutgoingMessage } from './transports/transport.ts';
import type { RouteTrust } from './trust.ts';

/** What a run needs of the node around it. */
export interface RunDeps {
  readonly node: string;
  /** All dispatchers, in the same order on each of them. For a canary: this node alone. */
  readonly nodes: readonly string[];
  readonly registry: Registry;
  readonly send: (
    recipient: Recipient,
    message: OutgoingMessage,
    signal: AbortSignal,
  ) => Promise<Outcome>;
  readonly share: FairShare;
  readonly trust: RouteTrust;
  readonly silent: (node: string) => boolean;
  /** Says the receipt to everybody who should know, and keeps it. */
  readonly publishReceipt: (receipt: CompletionReceipt) => void;
  /** Devices that their provider called gone, out of how many sends of one shard. */
  readonly reportGone: (
    transport: TransportKind,
    deviceIds: readonly string[],
    sent: number,
  ) => void;
  /** Rejects when the envelope is no longer what was signed; asked before each slice. */
  readonly stillRight: () => Promise<void>;
  readonly events: DispatcherEvents;
  readonly now: Clock;
  readonly random: () => number;
}

export interface RunTask {
  readonly envelope: Envelope;
  readonly transport: TransportKind;
  readonly filter: RecipientFilter;
  readonly messageFor: (language: string) => OutgoingMessage;
  /** Turns of this alert relative to others, by severity. */
  readonly weight: number;
}

const SLICE = 200;
/** Shards whose last answers are still out; more are not begun. */
const MAX_UNSETTLED_SHARDS = 32;
/** A node begins to help in another arc with so many shards at once. */
const FIRST_HELP = 2;
const WAIT_MS = 500;
const RETRY_TICK_MS = 200;
const RETRY_BATCH = 200;
const SAY_AGAIN_MS = 1_000;

/**
 * One alert on one transport, on this node: goes through the shards in the ring's order, sends, says what it has done,
 * tries again what a provider put off. It ends when everything is confirmed, or the alert is over.
 */
export class DispatchRun {
  readonly #task: RunTask;
  readonly #deps: RunDeps;
  readonly #order: number[];
  readonly #ownArc: ReadonlySet<number>;
  readonly #holder: ShareHolder;
  readonly #stop = new AbortController();
  readonly #own = new Map<number, OwnShard>();
  readonly #takeOvers = new Map<number, OwnShard>();
  readonly #peers = new Map<number, Map<string, CompletionReceipt & { heardAtMs: number }>>();
  readonly #expiresAtMs: number;
  #endedBy: JournalState | undefined;
  #wake: () => void = () => undefined;
  #unsettled = 0;
  /** Shards of other arcs whose last answers are still out, and how many there may be. */
  #helping = 0;
  #helpLimit = FIRST_HELP;
  #audience = 0;
  #firstAcceptedAtMs: number | undefined;
  #lastAcceptedAtMs: number | undefined;

  constructor(task: RunTask, deps: RunDeps) {
    this.#task = task;
    this.#deps = deps;
    this.#expiresAtMs = Date.parse(task.envelope.expiresAt);
    this.#order = shardOrder(
      deps.nodes.indexOf(deps.node),
      deps.nodes.length,
      task.envelope.shards,
    );
    this.#ownArc = new Set(
      ownArc(deps.nodes.indexOf(deps.node), deps.nodes.length, task.envelope.shards),
    );
    this.#holder = deps.share.join(task.weight);
  }

  /** Runs to the end and says how it ended. Receipts of an earlier life of this node are taken up where they stood. */
  async run(earlier: readonly CompletionReceipt[]): Promise<JournalState> {
    const { registry, node } = this.#deps;
    this.#audience = registry.count(this.#task.filter, this.#task.transport, true);
    for (const receipt of earlier) {
      if (receipt.node !== node) this.heard(receipt);
      else this.#resume(receipt);
    }
    const retrying = this.#retryLoop().catch(() => this.stop('journaled'));
    const outcome = await this.#loop();
    this.#stop.abort();
    await retrying;
    this.#deps.events.runEnded(
      this.#task.envelope.id,
      this.#task.transport,
      outcome,
      this.#figures(),
    );
    return outcome;
  }

  /** Ends the run at the next slice: nothing of this alert is begun after it. */
  stop(state: JournalState): void {
    this.#endedBy ??= state;
    this.#stop.abort();
    this.#wake();
  }

  /** A peer's word on one of the shards. */
  heard(receipt: CompletionReceipt): void {
    const ofShard =
      this.#peers.get(receipt.shard) ??
      new Map<string, CompletionReceipt & { heardAtMs: number }>();
    const before = ofShard.get(receipt.node);
    if (before && before.revision >= receipt.revision) return;
    ofShard.set(receipt.node, { ...receipt, heardAtMs: this.#deps.now() });
    this.#peers.set(receipt.shard, ofShard);
    this.#wake();
  }

  /** Something outside changed (a proof came): think again. */
  reconsider(): void {
    this.#wake();
  }

  get settled(): boolean {
    const step = nextStep(this.#view(), this.#order).step;
    return (
      this.#unsettled === 0 && !this.#hasOwnPending() && (step === 'wait' || step === 'finished')
    );
  }

  progress(): TransportProgress {
    const counts = sumCounts(
      [...this.#own.values(), ...this.#takeOvers.values()].map((shard) => shard.counts),
    );
    let acceptedByPeers = 0;
    let shardsByPeers = 0;
    for (const [shard, receipts] of this.#peers) {
      if (this.#own.has(shard)) continue;
      shardsByPeers++;
      acceptedByPeers += Math.max(
        ...[...receipts.values()].map((receipt) => receipt.counts.accepted),
      );
    }
    const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
    return {
      audience: this.#audience,
      counts,
      pending: [...this.#own.values(), ...this.#takeOvers.values()].reduce(
        (sum, { pending }) => sum + pending.size,
        0,
      ),
      shardsTotal: this.#task.envelope.shards,
      shardsOwn: [...this.#own.values()].filter((shard) => shard.settled).length,
      shardsByPeers,
      acceptedKnown: counts.accepted + acceptedByPeers,
      firstAcceptedAt: iso(this.#firstAcceptedAtMs),
      lastAcceptedAt: iso(this.#lastAcceptedAtMs),
    };
  }

  async #loop(): Promise<JournalState> {
    for (;;) {
      if (this.#isOver()) return this.#endedBy ?? 'expired';
      const step = nextStep(this.#view(), this.#order);
      if (step.step === 'finished' && this.#unsettled === 0) return 'done';
      if (step.step === 'send' && this.#mayBegin(step.shard)) await this.#passThrough(step.shard);
      else if (step.step === 'take-over') this.#takeOver(step.shard, step.from);
      else await this.#change();
    }
  }

  /**
   * The own arc goes at full speed. In the others a node helps once its own has been answered, a few shards at a time
   * and twice as many whenever nobody else turned out to have done them: a peer that is merely a little behind is not
   * done over, a dead one's share is soon taken at full speed.
   */
  #mayBegin(shard: number): boolean {
    if (this.#unsettled >= MAX_UNSETTLED_SHARDS) return false;
    if (this.#ownArc.has(shard)) return true;
    return this.#unsettled === this.#helping && this.#helping < this.#helpLimit;
  }

  #noteHelped(shard: number): void {
    this.#helping--;
    const somebodyElseDidIt = this.#peers.has(shard);
    this.#helpLimit = somebodyElseDidIt
      ? FIRST_HELP
      : Math.min(this.#helpLimit * 2, MAX_UNSETTLED_SHARDS);
  }

  /** Waits until something may have changed. */
  async #change(): Promise<void> {
    const waiting = new AbortController();
    this.#wake = () => waiting.abort();
    await sleep(WAIT_MS, waiting.signal);
    this.#wake = () => undefined;
  }

  #isOver(): boolean {
    if (this.#endedBy) return true;
    if (this.#deps.now() < this.#expiresAtMs) return false;
    this.stop('expired');
    return true;
  }

  /** Begins every send of a shard; returns when all are begun, not when all are answered. */
  async #passThrough(shard: number): Promise<void> {
    const own = this.#nextOf(shard);
    this.#own.set(shard, own);
    this.#takeOvers.delete(shard);
    this.#unsettled++;
    if (!this.#ownArc.has(shard)) this.#helping++;
    const sends: Promise<void>[] = [];
    let after = '';
    for (;;) {
      await this.#deps.stillRight();
      if (this.#isOver()) break;
      const { transport, envelope, filter } = this.#task;
      const at = { transport, shard, shards: envelope.shards, after, limit: SLICE };
      const slice = this.#deps.registry.page(filter, at);
      for (const recipient of slice)
        sends.push((await this.#begin(own, recipient, 1, 'first')).settled);
      const last = slice.at(-1);
      if (!last || slice.length < SLICE) break;
      after = last.deviceId;
    }
    void this.#settle(own, sends);
  }

  /** Revisions rise per shard, whatever this node does there: else peers would take the new word for an old one. */
  #nextOf(shard: number, takenOverFrom?: string): OwnShard {
    const own = new OwnShard(shard, takenOverFrom);
    own.follow(this.#takeOvers.get(shard));
    return own;
  }

  /** Waits for a place, then sends; `settled` is when the send has its outcome. An alert that is over sends nothing. */
  async #begin(
    own: OwnShard,
    recipient: Recipient,
    attempt: number,
    lane: LaneOfWork,
  ): Promise<{ settled: Promise<void> }> {
    const { share } = this.#deps;
    await share.acquire(this.#holder, lane);
    if (this.#isOver()) {
      share.release(lane);
      own.counts.dropped++;
      return { settled: Promise.resolve() };
    }
    return { settled: this.#sendOne(own, recipient, attempt).finally(() => share.release(lane)) };
  }

  async #sendOne(own: OwnShard, recipient: Recipient, attempt: number): Promise<void> {
    const { now, random, events, send } = this.#deps;
    const outcome = await send(
      recipient,
      this.#task.messageFor(recipient.language),
      this.#stop.signal,
    );
    events.outcome(this.#task.transport, outcome);
    const dueMs = retryAtMs(outcome, attempt, {
      nowMs: now(),
      expiresAtMs: this.#expiresAtMs,
      random: random(),
    });
    if (outcome.kind === 'accepted') this.#noteAccepted();
    own.record(
      recipient.deviceId,
      outcome,
      dueMs === undefined ? undefined : { attempt: attempt + 1, dueMs },
    );
  }

  #noteAccepted(): void {
    const nowMs = this.#deps.now();
    this.#firstAcceptedAtMs ??= nowMs;
    this.#lastAcceptedAtMs = nowMs;
  }

  /** The record comes after the act: the receipt is written when every send of the shard has an outcome. */
  async #settle(own: OwnShard, sends: readonly Promise<void>[]): Promise<void> {
    await Promise.all(sends);
    this.#unsettled--;
    if (!this.#ownArc.has(own.shard)) this.#noteHelped(own.shard);
    if (!this.#stop.signal.aborted) {
      own.settled = true;
      this.#deps.reportGone(this.#task.transport, own.gone, sends.length);
      this.#say(own);
    }
    this.#wake();
  }

  /** After retries: a receipt that still names many is said once a second, not at every tick. */
  #sayAgain(own: OwnShard): void {
    const sinceMs = this.#deps.now() - own.saidAtMs;
    if (own.pending.size === 0 || sinceMs >= SAY_AGAIN_MS) this.#say(own);
  }

  #say(own: OwnShard): void {
    // The whole shard has been begun since: its own receipt counts, not what is still heard of the leftovers.
    if (own.takenOverFrom !== undefined && this.#own.has(own.shard)) return;
    own.saidAtMs = this.#deps.now();
    const { id } = this.#task.envelope;
    const at = new Date(this.#deps.now()).toISOString();
    this.#deps.publishReceipt(
      own.receipt({ alertId: id, transport: this.#task.transport, node: this.#deps.node, at }),
    );
  }

  #takeOver(shard: number, from: string): void {
    const receipt = this.#peers.get(shard)?.get(from);
    if (!receipt) return;
    const own = this.#nextOf(shard, from);
    own.resumePending(receipt.pending, this.#deps.now());
    own.settled = true;
    this.#takeOvers.set(shard, own);
    this.#deps.events.shardTakenOver(this.#task.envelope.id, this.#task.transport, shard, from);
    this.#say(own);
  }

  #resume(receipt: CompletionReceipt): void {
    const own = new OwnShard(receipt.shard, receipt.takenOverFrom);
    own.resume(receipt, this.#deps.now());
    (receipt.takenOverFrom === undefined ? this.#own : this.#takeOvers).set(receipt.shard, own);
  }

  /** Tries again what is due, on the slow lane, and says so whenever a shard has nobody left or a second has passed. */
  async #retryLoop(): Promise<void> {
    while (await sleep(RETRY_TICK_MS, this.#stop.signal)) {
      // The loop may be waiting for a place: an expiry is noticed here at the latest.
      if (this.#isOver()) return;
      for (const own of [...this.#own.values(), ...this.#takeOvers.values()]) {
        if (!own.settled || own.pending.size === 0) continue;
        const due = own.takeDue(this.#deps.now(), RETRY_BATCH);
        if (due.length === 0) continue;
        await this.#deps.stillRight();
        const sends: Promise<void>[] = [];
        for (const { deviceId, attempt } of due) {
          const recipient = this.#deps.registry.recipient(deviceId);
          // A device may have moved to another transport since: this one no longer has an address for it.
          if (recipient?.address.transport === this.#task.transport)
            sends.push((await this.#begin(own, recipient, attempt, 'retry')).settled);
          else own.forget(deviceId);
        }
        void Promise.all(sends).then(() => {
          if (!this.#stop.signal.aborted) this.#sayAgain(own);
          this.#wake();
        });
      }
    }
  }

  #hasOwnPending(): boolean {
    return [...this.#own.values(), ...this.#takeOvers.values()].some((own) => own.pending.size > 0);
  }

  #view(): RingView {
    const { node, nodes, trust, silent } = this.#deps;
    const { transport, envelope } = this.#task;
    return {
      shards: envelope.shards,
      self: node,
      nodes,
      begun: new Set(this.#own.keys()),
      ownPending: this.#hasOwnPending() || this.#unsettled > 0,
      peerReceipts: (shard) => this.#receiptsFor(shard),
      trust: (name, heardAtMs) =>
        name === node ? 'confirmed' : trust.of(name, transport, heardAtMs),
      silent,
      selfProved: trust.isProved(node, transport),
      anybodyProved: nodes.some((name) => trust.isProved(name, transport)),
    };
  }

  /** Peers' receipts of a shard, and this node's own word on what it took over there. */
  #receiptsFor(shard: number): ShardReceipt[] {
    const receipts: ShardReceipt[] = [...(this.#peers.get(shard)?.values() ?? [])].map(
      (receipt) => ({
        node: receipt.node,
        hasPending: receipt.pending.length > 0,
        takenOverFrom: receipt.takenOverFrom,
        heardAtMs: receipt.heardAtMs,
      }),
    );
    const takeOver = this.#takeOvers.get(shard);
    if (takeOver)
      receipts.push({
        node: this.#deps.node,
        hasPending: takeOver.pending.size > 0,
        takenOverFrom: takeOver.takenOverFrom,
        heardAtMs: this.#deps.now(),
      });
    return receipts;
  }

  #figures(): {
    counts: OutcomeCounts;
    shardsOwn: number;
    shardsByPeers: number;
    audience: number;
  } {
    const { counts, shardsOwn, shardsByPeers, audience } = this.progress();
    return { counts, shardsOwn, shardsByPeers, audience };
  }
}
