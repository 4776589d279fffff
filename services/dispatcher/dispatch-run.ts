import type { Envelope, TransportKind } from '../../shared/envelope/envelope.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { TransportProgress } from '../../shared/receipt/progress.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { severityOf } from './alert-weight.ts';
import type { AskFirst } from './ask-first.ts';
import type { DispatcherEvents } from './events.ts';
import type { FairShare, LaneOfWork, ShareHolder } from './fair-share.ts';
import type { JournalState } from './journal.ts';
import { sumCounts } from './own-shard.ts';
import type { Recipient, RecipientFilter, Registry } from './registry.ts';
import { RunCore } from './run-core.ts';
import type { RunDecision, RunEvent, SendTask, Surroundings } from './run-events.ts';
import { RunTimings } from './run-timings.ts';
import type { Outcome, OutgoingMessage } from './transports/transport.ts';
import type { RouteTrust } from './trust.ts';
import { type Work, WorkLine } from './work-line.ts';

/** Sends one message to one recipient; `settle` is called once, by the transport's deadline at the latest. */
export type DispatchSend = (
  recipient: Recipient,
  message: OutgoingMessage,
  signal: AbortSignal,
  settle: (outcome: Outcome) => void,
) => void;

/** What a run needs of the node around it. */
export interface RunDeps {
  readonly node: string;
  /** All dispatchers, in the same order on each of them. For a canary: this node alone. */
  readonly nodes: readonly string[];
  readonly registry: Registry;
  /** Calls `settle` once, possibly before it returns. */
  readonly send: DispatchSend;
  readonly share: FairShare;
  readonly trust: RouteTrust;
  readonly silent: (node: string) => boolean;
  readonly unanswering: (node: string) => boolean;
  /** This node's replica holds everybody, as far as can be known. */
  readonly isReplicaWhole: () => boolean;
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
  readonly askFirst: Pick<AskFirst, 'mayHaveMissed' | 'whenKnown' | 'sendEnded'>;
  readonly events: DispatcherEvents;
  readonly now: Clock;
}

export interface RunTask {
  readonly envelope: Envelope;
  readonly transport: TransportKind;
  readonly filter: RecipientFilter;
  readonly messageFor: (language: string) => OutgoingMessage;
  /** Turns of this alert relative to others, by severity. */
  readonly weight: number;
}

type SendWork = Extract<Work, { type: 'send' }>;

const SLICE = 200;
const TICK_MS = 200;

/**
 * One alert on one transport, on this node: the shell around {@link RunCore}. It feeds the core with what happens and
 * does what the core decides: reads recipients, sends, writes receipts. It decides nothing itself.
 */
export class DispatchRun {
  readonly #task: RunTask;
  readonly #deps: RunDeps;
  readonly #core: RunCore;
  readonly #holder: ShareHolder;
  readonly #stop = new AbortController();
  readonly #lines: Record<LaneOfWork, WorkLine>;
  /** Recipients that were read and not yet sent to, by the slice that the core was given of them. */
  readonly #read = new Map<readonly string[], readonly Recipient[]>();
  readonly #around: { -readonly [Part in keyof Surroundings]: Surroundings[Part] };
  readonly #timings: RunTimings;
  readonly #issuedAtMs: number;
  readonly #isTest: boolean;
  readonly #observe: (seconds: number) => void;
  #failure: unknown;
  #audience = 0;

  constructor(task: RunTask, deps: RunDeps) {
    this.#task = task;
    this.#deps = deps;
    this.#core = new RunCore({
      alertId: task.envelope.id,
      transport: task.transport,
      shards: task.envelope.shards,
      expiresAtMs: Date.parse(task.envelope.expiresAt),
      self: deps.node,
      nodes: deps.nodes,
    });
    this.#timings = new RunTimings(deps.node);
    this.#issuedAtMs = Date.parse(task.envelope.issuedAt);
    const isTest = task.envelope.audience === 'canary';
    this.#isTest = isTest;
    this.#observe = isTest
      ? () => undefined
      : deps.events.acceptTimes(task.transport, severityOf(task.envelope));
    const send = isTest ? 'test' : 'message';
    this.#holder = deps.share.join(task.weight, send, this.#stop.signal);
    const { trust, silent, unanswering } = deps;
    this.#around = {
      nowMs: 0,
      trust: (node, heardAtMs) => trust.of(node, task.transport, heardAtMs),
      isProved: (node) => trust.isProved(node, task.transport),
      silent,
      unanswering,
      isReplicaWhole: false,
    };
    const work = (decision: Work) => this.#do(decision);
    this.#lines = { first: new WorkLine(work), retry: new WorkLine(work) };
  }

  /** Runs to the end and says how it ended. Rejects when the alert turns out not to be what was signed. */
  async run(earlier: readonly CompletionReceipt[]): Promise<JournalState> {
    const { registry, events } = this.#deps;
    this.#audience = registry.count(this.#task.filter, this.#task.transport, true);
    if (!this.#isTest) events.fanOutBegan(this.#task.transport, this.#audience);
    for (const receipt of earlier) this.#timings.heard(receipt);
    const { id } = this.#task.envelope;
    const span = events.runStarted(id, this.#task.transport);
    this.#feed({ type: 'begin', earlier });
    while (this.#core.ended === undefined && (await sleep(TICK_MS, this.#stop.signal)))
      this.#feed({ type: 'tick' });
    await Promise.all([this.#lines.first.idle, this.#lines.retry.idle]);
    const state = this.#core.ended ?? 'journaled';
    span.end({ transport: this.#task.transport, state }, this.#failure === undefined);
    if (this.#failure !== undefined) throw this.#failure;
    events.runEnded(id, this.#task.transport, state, this.#figures());
    return state;
  }

  /** Ends the run at the next send: nothing of this alert is begun after it. */
  stop(state: JournalState): void {
    this.#feed({ type: 'stop', state });
  }

  /** A peer's word on one of the shards. */
  heard(receipt: CompletionReceipt): void {
    this.#timings.heard(receipt);
    this.#feed({ type: 'receipt', receipt });
  }

  /** Something outside changed (a proof came): think again. */
  reconsider(): void {
    this.#feed({ type: 'tick' });
  }

  get settled(): boolean {
    return this.#core.isSettled(this.#surroundings());
  }

  progress(): TransportProgress {
    const own = this.#core.ownShards;
    const peers = this.#core.peerShards;
    const counts = sumCounts(own.map((shard) => shard.counts));
    const { first, last } = this.#core.acceptedAtMs;
    const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
    return {
      audience: this.#audience,
      counts,
      pending: own.reduce((sum, { pending }) => sum + pending.size, 0),
      shardsTotal: this.#task.envelope.shards,
      shardsOwn: own.filter((shard) => shard.settled && shard.takenOverFrom === undefined).length,
      shardsByPeers: peers.length,
      acceptedKnown: counts.accepted + peers.reduce((sum, { accepted }) => sum + accepted, 0),
      firstAcceptedAt: iso(first),
      lastAcceptedAt: iso(last),
      timings: this.#timings.byNode(),
    };
  }

  #feed(event: RunEvent): void {
    for (const decision of this.#core.step(event, this.#surroundings())) this.#carryOut(decision);
  }

  /** What takes no time is done at once; loads and sends take their turn. */
  #carryOut(decision: RunDecision): void {
    const { publishReceipt, reportGone, events } = this.#deps;
    const { envelope, transport } = this.#task;
    switch (decision.type) {
      case 'say':
        publishReceipt(this.#withTiming(decision.receipt));
        return;
      case 'gone':
        reportGone(transport, decision.deviceIds, decision.sent);
        return;
      case 'took-over':
        events.shardTakenOver(envelope.id, transport, decision.shard, decision.from);
        return;
      case 'end':
        this.#stop.abort();
        return;
      case 'load':
        this.#lines.first.add(decision);
        return;
      case 'send':
        this.#lines[decision.task.lane].add(decision);
        if (decision.task.lane === 'retry' && !decision.task.takeOver)
          events.retried(envelope.id, transport, decision.deviceIds.length);
    }
  }

  async #do(work: Work): Promise<void> {
    if (this.#core.ended !== undefined) return;
    try {
      await this.#deps.stillRight();
      if (work.type === 'load') this.#load(work.shard, work.after);
      else await this.#beginAll(work);
    } catch (error) {
      this.#failure = error;
      this.stop('journaled');
    }
  }

  #load(shard: number, after: string): void {
    const { envelope, transport, filter } = this.#task;
    const at = { transport, shard, shards: envelope.shards, after, limit: SLICE };
    const slice = this.#deps.registry.page(filter, at);
    const deviceIds = slice.map(({ deviceId }) => deviceId);
    if (slice.length > 0) this.#read.set(deviceIds, slice);
    this.#feed({ type: 'slice', shard, deviceIds, complete: slice.length < SLICE });
  }

  #accepted(shard: number): void {
    const afterMs = this.#deps.now() - this.#issuedAtMs;
    this.#timings.accepted(shard, afterMs);
    this.#observe(afterMs / 1000);
  }

  /** Adds when the shard's sends were accepted: a measure, on which the core decides nothing. */
  #withTiming(receipt: CompletionReceipt): CompletionReceipt {
    const timing = this.#timings.of(receipt.shard);
    return timing === undefined ? receipt : { ...receipt, timing };
  }

  /** Waits for a place for each and begins its send. Nothing is made for a message that need not wait. */
  async #beginAll({ task, deviceIds, isBackwards }: SendWork): Promise<void> {
    const { share, registry, askFirst } = this.#deps;
    const read = this.#read.get(deviceIds);
    this.#read.delete(deviceIds);
    for (let n = 0; n < deviceIds.length; n++) {
      const i = isBackwards ? deviceIds.length - 1 - n : n;
      const deviceId = deviceIds[i] ?? '';
      const hasPlace = share.takeFree(this.#holder, task.lane);
      if (!hasPlace && !(await share.acquire(this.#holder, task.lane))) return;
      while (askFirst.mayHaveMissed()) await new Promise<void>(askFirst.whenKnown);
      this.#begin(task, deviceId, read?.[i] ?? registry.recipient(deviceId));
    }
  }

  /** Begins one send in a place of its own. An alert that is over by then sends nothing. */
  #begin(task: SendTask, deviceId: string, recipient: Recipient | 'damaged' | undefined): void {
    const { share, now } = this.#deps;
    if (recipient === 'damaged') {
      // There is somebody, whose row cannot be read: tried again until the replica has been filled anew.
      share.release(task.lane);
      const outcome = { kind: 'unavailable', reason: 'damaged-row', retryAfterMs: 0 } as const;
      this.#feed({ type: 'outcome', task, deviceId, outcome });
      return;
    }
    // Who came back by the other transport meanwhile is that run's to send to.
    const isOurs =
      recipient?.address.transport === this.#task.transport && this.#mayReach(recipient);
    if (isOurs && this.#core.mayBegin(now())) {
      this.#send(task, recipient);
      return;
    }
    share.release(task.lane);
    const outcome = { kind: isOurs ? ('not-sent' as const) : ('unknown-device' as const) };
    this.#feed({ type: 'outcome', task, deviceId, outcome });
  }

  /** The last look before a send, whoever chose the recipients: a canary's alert goes to probes alone (P6). */
  #mayReach({ isProbe }: Recipient): boolean {
    if (!this.#isTest || isProbe) return true;
    this.#deps.events.canaryToPublicStopped(this.#task.envelope.id, this.#task.transport);
    return false;
  }

  #send(task: SendTask, recipient: Recipient): void {
    const { send, share, events, askFirst, now } = this.#deps;
    const { transport, messageFor } = this.#task;
    const beganAtMs = now();
    send(recipient, messageFor(recipient.language), this.#stop.signal, (outcome) => {
      share.release(task.lane, outcome, now() - beganAtMs);
      events.outcome(transport, outcome);
      if (outcome.kind === 'accepted') this.#accepted(task.shard);
      askFirst.sendEnded(outcome);
      this.#feed({ type: 'outcome', task, deviceId: recipient.deviceId, outcome });
    });
  }

  /** One object for all events: there is one of those for each message. */
  #surroundings(): Surroundings {
    this.#around.nowMs = this.#deps.now();
    this.#around.isReplicaWhole = this.#deps.isReplicaWhole();
    return this.#around;
  }

  #figures() {
    const { counts, shardsOwn, shardsByPeers, audience } = this.progress();
    return { counts, shardsOwn, shardsByPeers, audience };
  }
}
