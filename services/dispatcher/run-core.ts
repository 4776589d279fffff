import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import { HeardReceipts } from './heard-receipts.ts';
import type { JournalState } from './journal.ts';
import { OwnShard } from './own-shard.ts';
import { nextAttempt, retryAtMs } from './retry-policy.ts';
import { nextStep, ownArc, type RingView, type ShardReceipt, shardOrder } from './ring.ts';
import type {
  NoOutcome,
  RunDecision,
  RunEvent,
  RunSetup,
  SendTask,
  Surroundings,
} from './run-events.ts';
import type { Outcome } from './transports/transport.ts';

/**
 * Shards whose last answers are still out; more are not begun. What is in flight is bounded by its places; this leaves
 * room for the few answers of each shard that take until the deadline, at a thousand devices a tenth of a second.
 */
const MAX_UNSETTLED_SHARDS = 128;
/** A node begins to help in another arc with so many shards at once. */
const FIRST_HELP = 2;
const MAX_HELP = 32;
/** It waits so long for the last answers of its own arc: one that never comes must not keep it from helping. */
const OWN_ANSWERS_MS = 3_000;
/** A peer that is as far as this node is given so long to say so, before its last shards are done over. */
const SAY_SO_MS = 200;
/** A peer that got nobody of a shard accepted has it taken over after this long. */
const STUCK_MS = 10_000;
/** A node that waits to try again not more than one in so many of whom it got accepted gets on. */
const GETS_ON_PART = 10;
/** A node that got nobody accepted leaves the other arcs to others for so long. */
const NO_HELP_MS = 15_000;
const RETRY_BATCH = 200;
/** A device that a replica does not hold yet is looked for again after this long. */
const UNKNOWN_AGAIN_MS = 1_000;
/** A node whose own route is unproved leaves what is left to proved ones, until none of them was heard of for this long. */
const NO_NEWS_MS = 180_000;
/** After retries a receipt that still names somebody is said so often at the most. */
const SAY_AGAIN_MS = 1_000;

/** Spreads tries in time without chance: a number in [0, 1) that differs from device to device and try to try (FNV-1a). */
function jitter(deviceId: string, attempt: number): number {
  let hash = Math.imul(0x811c9dc5 ^ attempt, 0x01000193);
  for (let i = 0; i < deviceId.length; i++)
    hash = Math.imul(hash ^ deviceId.charCodeAt(i), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}

const NOTHING: readonly RunDecision[] = [];

/**
 * One alert on one transport on one node, as a state machine: events in, decisions out. No clock, no I/O, no randomness:
 * the same events at the same instants give the same decisions, so that a simulator can play a night in a second and
 * play it again.
 */
export class RunCore {
  readonly #setup: RunSetup;
  readonly #order: readonly number[];
  readonly #ownArc: ReadonlySet<number>;
  readonly #own = new Map<number, OwnShard>();
  readonly #takeOvers = new Map<number, OwnShard>();
  readonly #peers: HeardReceipts;
  /** When something was last heard of a peer, or came of a send here. */
  #newsAtMs = 0;
  /** The shard whose recipients are being loaded: one at a time. */
  #loading: number | undefined;
  #unsettled = 0;
  /** Unsettled shards of other arcs, and how many there may be. */
  #helping = 0;
  #helpLimit = FIRST_HELP;
  /** When the last shard of the own arc had been begun whole. */
  #ownArcBegunAtMs = 0;
  #ownAnswerAtMs = 0;
  #ended: JournalState | undefined;
  #firstAcceptedAtMs: number | undefined;
  #lastAcceptedAtMs: number | undefined;

  constructor(setup: RunSetup) {
    this.#setup = setup;
    this.#peers = new HeardReceipts(setup.shards);
    const position = setup.nodes.indexOf(setup.self);
    this.#order = shardOrder(position, setup.nodes.length, setup.shards);
    this.#ownArc = new Set(ownArc(position, setup.nodes.length, setup.shards));
  }

  /** The one entry: what happened → what to do. */
  step(event: RunEvent, around: Surroundings): readonly RunDecision[] {
    if (this.#ended !== undefined) return NOTHING;
    const unsettled = this.#unsettled;
    const decisions = this.#note(event, around);
    // An ordinary answer closes nothing, so that nothing else comes next: what it costs does not grow with the shards.
    const isOrdinary = event.type === 'outcome' && decisions.length === 0;
    if (isOrdinary && this.#unsettled === unsettled) return NOTHING;
    if (this.#ended !== undefined) return decisions;
    const next = this.#advance(around);
    if (decisions.length === 0) return next;
    return next.length === 0 ? decisions : [...decisions, ...next];
  }

  get ended(): JournalState | undefined {
    return this.#ended;
  }

  /** May another send of this alert begin at `nowMs`? Asked again right before each send. */
  mayBegin(nowMs: number): boolean {
    return this.#ended === undefined && nowMs < this.#setup.expiresAtMs;
  }

  /** Everything that this node can do now is done; what remains is to see it confirmed. */
  isSettled(around: Surroundings): boolean {
    if (this.#ended !== undefined) return true;
    if (this.#hasWork()) return false;
    const { step } = nextStep(this.#view(around), this.#order);
    return step === 'wait' || step === 'finished';
  }

  /** Shards gone through by this node, and what came of them; take-overs among them. */
  get ownShards(): readonly OwnShard[] {
    return [...this.#own.values(), ...this.#takeOvers.values()];
  }

  /** Shards that only peers went through, with the most that one of them says it got accepted. */
  get peerShards(): readonly { shard: number; accepted: number }[] {
    return [...this.#peers.all]
      .filter(([shard]) => !this.#own.has(shard))
      .map(([shard, receipts]) => ({
        shard,
        accepted: Math.max(...receipts.map(({ accepted }) => accepted)),
      }));
  }

  get acceptedAtMs(): { first: number | undefined; last: number | undefined } {
    return { first: this.#firstAcceptedAtMs, last: this.#lastAcceptedAtMs };
  }

  #note(event: RunEvent, around: Surroundings): readonly RunDecision[] {
    switch (event.type) {
      case 'begin':
        this.#newsAtMs = around.nowMs;
        this.#ownAnswerAtMs = around.nowMs;
        for (const receipt of event.earlier) this.#takeUp(receipt, around.nowMs);
        return [];
      case 'slice':
        return this.#onSlice(event.shard, event.deviceIds, event.complete, around);
      case 'outcome':
        return this.#onOutcome(event.task, event.deviceId, event.outcome, around);
      case 'receipt':
        this.#hear(event.receipt, around.nowMs);
        return [];
      case 'tick':
        if (around.isReplicaWhole) this.#dropProvisional();
        return [...this.#retryDue(around.nowMs), ...this.#sayAgain(around.nowMs)];
      case 'stop':
        return this.#end(event.state);
    }
  }

  /** Goes on with the next thing that the ring asks for. */
  #advance(around: Surroundings): RunDecision[] {
    if (around.nowMs >= this.#setup.expiresAtMs) return this.#end('expired');
    const decisions: RunDecision[] = [];
    for (;;) {
      if (this.#loading !== undefined) return decisions;
      const next = nextStep(this.#view(around), this.#order);
      if (next.step === 'send' && this.#mayGoThrough(next.shard, around)) {
        this.#beginShard(next.shard, around);
        decisions.push({ type: 'load', shard: next.shard, after: '' });
      } else if (next.step === 'take-over') {
        decisions.push(...this.#takeOver(next.shard, next.from, around.nowMs));
      } else {
        const isFinished = next.step === 'finished' && this.#unsettled === 0;
        return isFinished ? [...decisions, ...this.#end('done')] : decisions;
      }
    }
  }

  #end(state: JournalState): RunDecision[] {
    this.#ended = state;
    return [{ type: 'end', state }];
  }

  /**
   * The own arc goes at full speed, and so does everything where no peer answers any more. Else a node helps in the other
   * arcs once its own has been answered, a few shards at a time and twice as many whenever nobody else turned out to have
   * done them: a peer that is merely a little behind is not done over.
   */
  #mayGoThrough(shard: number, around: Surroundings): boolean {
    if (this.#unsettled >= MAX_UNSETTLED_SHARDS) return false;
    if (this.#ownArc.has(shard)) return true;
    const { self, nodes } = this.#setup;
    if (nodes.every((name) => name === self || around.unanswering(name))) return true;
    const isOwnAnswered = this.#unsettled === this.#helping;
    if (isOwnAnswered && this.#gotNowhere() && around.nowMs - this.#ownAnswerAtMs < NO_HELP_MS)
      return false;
    const isItsTurn = isOwnAnswered
      ? around.nowMs - this.#ownAnswerAtMs >= SAY_SO_MS
      : around.nowMs - this.#ownArcBegunAtMs > OWN_ANSWERS_MS;
    return isItsTurn && this.#helping < this.#helpLimit;
  }

  #gotNowhere(): boolean {
    if (this.#firstAcceptedAtMs !== undefined) return false;
    for (const own of this.#own.values()) if (own.pending.size > 0) return true;
    return false;
  }

  #beginShard(shard: number, around: Surroundings): void {
    const own = this.#nextOf(shard);
    own.isProvisional = !around.isReplicaWhole;
    this.#own.set(shard, own);
    this.#takeOvers.delete(shard);
    this.#loading = shard;
    this.#unsettled++;
    if (!this.#ownArc.has(shard)) this.#helping++;
  }

  /** Revisions rise per shard, whatever this node does there: else peers would take the new word for an old one. */
  #nextOf(shard: number, takenOverFrom?: string): OwnShard {
    const own = new OwnShard(shard, takenOverFrom);
    own.follow(this.#takeOvers.get(shard) ?? this.#own.get(shard));
    return own;
  }

  /** What was gone through before the replica was whole is gone through again; who had it already takes it as a repeat. */
  #dropProvisional(): void {
    for (const own of this.#own.values())
      if (own.isProvisional && own.settled && !own.isWaiting) this.#own.delete(own.shard);
  }

  #onSlice(
    shard: number,
    deviceIds: readonly string[],
    complete: boolean,
    around: Surroundings,
  ): RunDecision[] {
    const own = this.#own.get(shard);
    if (!own || this.#loading !== shard) return [];
    // What was damaged when it was read may have left somebody out.
    if (!around.isReplicaWhole) own.isProvisional = true;
    const task = { shard, lane: 'first' as const, attempt: 1, takeOver: false };
    own.begin(deviceIds.length);
    const isBackwards = !this.#ownArc.has(shard);
    const decisions: RunDecision[] =
      deviceIds.length > 0 ? [{ type: 'send', task, deviceIds, isBackwards }] : [];
    const after = deviceIds.at(-1);
    if (!complete && after !== undefined) return [...decisions, { type: 'load', shard, after }];
    own.allBegun = true;
    this.#loading = undefined;
    if (this.#ownArc.has(shard)) this.#ownArcBegunAtMs = around.nowMs;
    return [...decisions, ...this.#settleIfAnswered(own, around.nowMs)];
  }

  #onOutcome(
    task: SendTask,
    deviceId: string,
    outcome: Outcome | NoOutcome,
    { nowMs, isReplicaWhole }: Surroundings,
  ): readonly RunDecision[] {
    const own = (task.takeOver ? this.#takeOvers : this.#own).get(task.shard);
    if (!own) return NOTHING;
    this.#newsAtMs = nowMs;
    if (outcome.kind === 'accepted') {
      this.#firstAcceptedAtMs ??= nowMs;
      this.#lastAcceptedAtMs = nowMs;
    }
    if (outcome.kind === 'accepted' && task.lane === 'first') own.accepted();
    else if (outcome.kind === 'unknown-device' && !isReplicaWhole) {
      // Not unsubscribed, as far as this replica can tell: it is being filled again and has not come to this device yet.
      own.postpone(deviceId, { attempt: task.attempt, dueMs: nowMs + UNKNOWN_AGAIN_MS });
    } else if (outcome.kind === 'unknown-device' || outcome.kind === 'not-sent')
      own.forget(deviceId);
    else {
      const { expiresAtMs } = this.#setup;
      const random = jitter(deviceId, task.attempt);
      const dueMs = retryAtMs(outcome, task.attempt, { nowMs, expiresAtMs, random });
      const attempt = nextAttempt(outcome, task.attempt);
      const again = dueMs === undefined ? undefined : { attempt, dueMs };
      own.record(deviceId, outcome, again);
    }
    own.answered();
    if (task.lane === 'first') return this.#settleIfAnswered(own, nowMs);
    const isDone = own.pending.size === 0 && !own.isWaiting;
    return [...goneOf(own), ...(isDone ? this.#say(own, nowMs) : [])];
  }

  /** The receipt is written when every send of the shard has an outcome, never before. */
  #settleIfAnswered(own: OwnShard, nowMs: number): readonly RunDecision[] {
    if (own.settled || own.isWaiting || !own.allBegun) return NOTHING;
    own.settled = true;
    this.#unsettled--;
    if (this.#ownArc.has(own.shard)) this.#ownAnswerAtMs = nowMs;
    else this.#noteHelped(own.shard);
    return [...goneOf(own), ...this.#say(own, nowMs)];
  }

  #noteHelped(shard: number): void {
    this.#helping--;
    const somebodyElseDidIt = this.#peers.of(shard).length > 0;
    this.#helpLimit = somebodyElseDidIt ? FIRST_HELP : Math.min(this.#helpLimit * 2, MAX_HELP);
  }

  /** After retries: a receipt that still names somebody is said once a second, not at every answer. */
  #sayAgain(nowMs: number): RunDecision[] {
    return this.ownShards
      .filter((own) => own.settled && own.isUnsaid && nowMs - own.saidAtMs >= SAY_AGAIN_MS)
      .flatMap((own) => this.#say(own, nowMs));
  }

  #say(own: OwnShard, nowMs: number): RunDecision[] {
    own.saidAtMs = nowMs;
    own.isUnsaid = false;
    if (own.isProvisional) return [];
    const { alertId, transport, self, shards } = this.#setup;
    const at = new Date(nowMs).toISOString();
    const receipt = own.receipt({ alertId, transport, node: self, shards, at });
    return [{ type: 'say', receipt }];
  }

  #takeOver(shard: number, from: string, nowMs: number): RunDecision[] {
    const own = this.#nextOf(shard, from);
    own.resumePending(this.#peers.from(shard, from)?.pending ?? [], nowMs);
    own.allBegun = true;
    own.settled = true;
    this.#takeOvers.set(shard, own);
    return [{ type: 'took-over', shard, from }, ...this.#say(own, nowMs)];
  }

  #retryDue(nowMs: number): RunDecision[] {
    const decisions: RunDecision[] = [];
    for (const own of this.ownShards) {
      if (!own.settled || own.pending.size === 0) continue;
      const byAttempt = Map.groupBy(own.takeDue(nowMs, RETRY_BATCH), ({ attempt }) => attempt);
      for (const [attempt, due] of byAttempt) {
        const takeOver = own.takenOverFrom !== undefined;
        const task = { shard: own.shard, lane: 'retry' as const, attempt, takeOver };
        own.begin(due.length);
        decisions.push({ type: 'send', task, deviceIds: due.map(({ deviceId }) => deviceId) });
      }
    }
    return decisions;
  }

  #takeUp(receipt: CompletionReceipt, nowMs: number): void {
    if (receipt.node !== this.#setup.self) {
      this.#hear(receipt, nowMs);
      return;
    }
    const own = new OwnShard(receipt.shard, receipt.takenOverFrom);
    own.resume(receipt, nowMs);
    (receipt.takenOverFrom === undefined ? this.#own : this.#takeOvers).set(receipt.shard, own);
  }

  #hear(receipt: CompletionReceipt, nowMs: number): void {
    if (this.#peers.hear(receipt, nowMs)) this.#newsAtMs = nowMs;
  }

  #hasProvisional(): boolean {
    for (const own of this.#own.values()) if (own.isProvisional) return true;
    return false;
  }

  /** Answers that are still out, or somebody to try again. */
  #hasWork(): boolean {
    if (this.#unsettled > 0) return true;
    for (const own of this.#own.values()) if (own.pending.size > 0) return true;
    for (const own of this.#takeOvers.values()) if (own.pending.size > 0) return true;
    return false;
  }

  #view(around: Surroundings): RingView {
    const { self, nodes, shards } = this.#setup;
    return {
      shards,
      self,
      nodes,
      begun: this.#own,
      ownPending: this.#hasWork() || this.#hasProvisional(),
      peerReceipts: (shard) => this.#receiptsFor(shard, around.nowMs),
      trust: (name, heardAtMs) => (name === self ? 'confirmed' : around.trust(name, heardAtMs)),
      silent: around.silent,
      isStuck: (shard, node) => this.#isStuck(shard, node, around.nowMs),
      isOwn: (shard) => this.#ownArc.has(shard),
      // The proved ones may have ended this alert long ago, on a dead peer's word that was confirmed to them alone.
      selfProved: around.isProved(self) || around.nowMs - this.#newsAtMs > NO_NEWS_MS,
      anybodyProved: nodes.some(
        (name) => !this.#peers.cutsOtherwise(name) && around.isProved(name),
      ),
    };
  }

  /**
   * A peer that is alive and proved but gets nobody accepted: its clock is off by hours, its credentials are refused. Not
   * where the provider throttles all of us, which this node would see in its own sends: that would double the load.
   */
  #isStuck(shard: number, node: string, nowMs: number): boolean {
    const sinceMs = this.#peers.from(shard, node)?.fruitlessSinceMs;
    return sinceMs !== undefined && nowMs - sinceMs >= STUCK_MS && this.#getsOn();
  }

  /** Of those whom this node tried nearly all were accepted, or it has tried nobody yet. */
  #getsOn(): boolean {
    let accepted = 0;
    let pending = 0;
    for (const own of this.ownShards) {
      accepted += own.counts.accepted;
      pending += own.pending.size;
    }
    return pending * GETS_ON_PART <= accepted;
  }

  /** Peers' receipts of a shard, and this node's own word on what it took over there. */
  #receiptsFor(shard: number, nowMs: number): readonly ShardReceipt[] {
    const receipts = this.#peers.of(shard);
    const takeOver = this.#takeOvers.get(shard);
    if (!takeOver) return receipts;
    const hasPending = takeOver.pending.size > 0;
    const { takenOverFrom } = takeOver;
    const own = { node: this.#setup.self, hasPending, takenOverFrom, heardAtMs: nowMs };
    return [...receipts, own];
  }
}

function goneOf(own: OwnShard): RunDecision[] {
  const deviceIds = own.takeGone();
  return deviceIds.length === 0 ? [] : [{ type: 'gone', deviceIds, sent: own.sent }];
}
