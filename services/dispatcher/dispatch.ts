import { reachOf } from '../../shared/alert/area.ts';
import type { Envelope, TransportKind } from '../../shared/envelope/envelope.ts';
import { openEnvelope } from '../../shared/envelope/open-envelope.ts';
import { SignatureError, type Verify } from '../../shared/envelope/signature.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { DispatchProgress, TransportProgress } from '../../shared/receipt/progress.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { weightOf } from './alert-weight.ts';
import type { AskFirst } from './ask-first.ts';
import { DispatchRun, type DispatchSend, type RunDeps } from './dispatch-run.ts';
import type { DispatcherEvents } from './events.ts';
import type { FairShare } from './fair-share.ts';
import { isOver } from './is-over.ts';
import type { Journal, JournalEntry, JournalState } from './journal.ts';
import type { FanOutFigures } from './metrics.ts';
import { outgoingMessages } from './outgoing-messages.ts';
import { figuresOfReceipts } from './receipt-figures.ts';
import type { RecipientFilter, Registry } from './registry.ts';
import type { AlertTopics } from './topics/alert-topics.ts';
import type { RouteTrust } from './trust.ts';

/** One transport as the dispatch uses it. */
export interface DispatchTransport {
  readonly kind: TransportKind;
  readonly share: FairShare;
  readonly send: DispatchSend;
}

export interface DispatchDeps {
  readonly node: string;
  readonly site: string;
  readonly nodes: readonly string[];
  readonly journal: Journal;
  readonly registry: Registry;
  readonly transports: readonly DispatchTransport[];
  readonly trust: RouteTrust;
  readonly silent: (node: string) => boolean;
  readonly unanswering: (node: string) => boolean;
  readonly isReplicaWhole: () => boolean;
  readonly publishReceipt: (receipt: CompletionReceipt) => void;
  readonly reportGone: RunDeps['reportGone'];
  readonly askFirst: AskFirst;
  /** The second way of very large alerts, where it is on. */
  readonly topics?: Pick<AlertTopics, 'begin'> | undefined;
  readonly verifyEnvelope: Verify;
  readonly verifyAlert: Verify;
  readonly events: DispatcherEvents;
  readonly log: Logger;
  readonly now: Clock;
}

/** The signature and the hashes are checked again at most this long before a slice. */
const RECHECK_MS = 1_000;
/** Figures of alerts that have ended are kept for so many. */
const KEPT_FIGURES = 300;

interface LiveAlert {
  readonly envelope: Envelope;
  readonly runs: ReadonlyMap<TransportKind, DispatchRun>;
  readonly ended: Promise<void>;
}

/** Every alert that this node is sending. */
export class Dispatch {
  readonly #deps: DispatchDeps;
  readonly #live = new Map<string, LiveAlert>();
  readonly #figures = new Map<string, DispatchProgress['transports']>();
  #closing = false;

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
  }

  get liveAlerts(): number {
    return this.#live.size;
  }

  /** How far the real alerts are that this node has in hand, over all of them. */
  fanOut(): FanOutFigures[] {
    return this.#deps.transports.map(({ kind }) => {
      const sum = { transport: kind, recipients: 0, accepted: 0, pending: 0 };
      for (const { envelope, runs } of this.#live.values()) {
        const progress = envelope.audience === 'canary' ? undefined : runs.get(kind)?.progress();
        if (progress === undefined) continue;
        sum.recipients += progress.audience;
        sum.accepted += progress.acceptedKnown;
        sum.pending += progress.pending;
      }
      return sum;
    });
  }

  /** Begins an alert that stands as `open` in the journal, or takes it up where an earlier life of this node was. */
  async begin(entry: JournalEntry, envelope: Envelope): Promise<void> {
    if (this.#live.has(entry.id)) return;
    const messageFor = await outgoingMessages(envelope, this.#deps.node, this.#deps.verifyAlert);
    if (this.#live.has(entry.id)) return;
    // Its Cancel may have come meanwhile, or before a crash that left it open (P3). Nothing is awaited from here on.
    if (isOver(envelope, this.#deps.journal)) {
      this.#deps.journal.setState(entry.id, 'cancelled');
      return;
    }
    const earlier = envelope.audience === 'canary' ? [] : this.#deps.journal.receiptsOf(entry.id);
    const deps = this.#runDeps(entry, envelope);
    const runs = new Map<TransportKind, DispatchRun>();
    const endings: Promise<JournalState>[] = [];
    for (const transport of this.#deps.transports) {
      if (envelope.path && envelope.path.transport !== transport.kind) continue;
      const run = new DispatchRun(
        {
          envelope,
          transport: transport.kind,
          filter: recipientFilter(envelope),
          messageFor,
          weight: weightOf(envelope),
        },
        { ...deps, send: transport.send, share: transport.share },
      );
      runs.set(transport.kind, run);
      endings.push(run.run(earlier.filter((receipt) => receipt.transport === transport.kind)));
    }
    this.#live.set(entry.id, { envelope, runs, ended: this.#watch(entry.id, runs, endings) });
    for (const peer of deps.nodes)
      if (peer !== deps.node && this.#deps.unanswering(peer))
        this.#deps.events.peerAnswers(entry.id, peer, false);
    this.#deps.topics?.begin({ envelope, messageFor, stillRight: deps.stillRight });
  }

  /** Takes up whatever stands open and is not being sent: after a start, and after a fault that ended a run. */
  async resume(): Promise<void> {
    for (const entry of this.#deps.journal.open()) {
      if (this.#closing || this.#live.has(entry.id)) continue;
      try {
        const envelope = await openEnvelope(entry.jws, this.#deps.verifyEnvelope);
        this.#deps.events.takenUpAgain(envelope);
        await this.begin(entry, envelope);
      } catch (error) {
        if (!(error instanceof SignatureError)) throw error;
        // Written by a newer version of this node, or signed by a key that is trusted no more. It must neither keep the
        // node from starting nor hold up what stands behind it: who understands it sends it.
        const fields = this.#deps.events.alertFields(entry.id);
        this.#deps.log.error({ ...errorFields(error), ...fields }, 'not taken up again');
        this.#deps.journal.setState(entry.id, 'journaled');
      }
    }
  }

  /** A peer's receipt. Returns whether it was news. */
  heard(receipt: CompletionReceipt): boolean {
    if (receipt.node === this.#deps.node || !this.#deps.journal.addReceipt(receipt)) return false;
    this.#live.get(receipt.alertId)?.runs.get(receipt.transport)?.heard(receipt);
    return true;
  }

  /** A proof came: what was waiting for trust may go on. */
  reconsider(): void {
    for (const { runs } of this.#live.values()) for (const run of runs.values()) run.reconsider();
  }

  /** A peer stopped to answer, or began again: it stands in the timelines of what is being sent. */
  peerAnswers(node: string, answers: boolean): void {
    for (const [id, { envelope }] of this.#live)
      if (envelope.audience === 'public') this.#deps.events.peerAnswers(id, node, answers);
  }

  /** Stops at the next send whatever another alert has put an end to (P3: a Cancel overtakes its Alert). */
  endWhatIsOver(): void {
    for (const { envelope, runs } of this.#live.values())
      if (isOver(envelope, this.#deps.journal))
        for (const run of runs.values()) run.stop('cancelled');
  }

  progress(id: string): DispatchProgress | undefined {
    const entry = this.#deps.journal.find(id);
    if (!entry) return undefined;
    const live = this.#live.get(id);
    const transports = live
      ? figuresOf(live.runs)
      : (this.#figures.get(id) ?? this.#figuresFromReceipts(id));
    const settled = live !== undefined && [...live.runs.values()].every((run) => run.settled);
    return {
      v: 1,
      node: this.#deps.node,
      site: this.#deps.site,
      alertId: id,
      state: entry.state === 'open' ? (settled ? 'done' : 'sending') : entry.state,
      lanes: entry.arrivals.filter((arrival) => arrival !== 'peer'),
      receivedAt: new Date(entry.receivedAtMs).toISOString(),
      transports,
    };
  }

  /** Stops every run; what is open goes on at the next start. */
  async close(): Promise<void> {
    this.#closing = true;
    const live = [...this.#live.values()];
    for (const { runs } of live) for (const run of runs.values()) run.stop('open');
    await Promise.all(live.map(({ ended }) => ended));
  }

  async #watch(
    id: string,
    runs: ReadonlyMap<TransportKind, DispatchRun>,
    endings: readonly Promise<JournalState>[],
  ): Promise<void> {
    try {
      const states = await Promise.all(endings);
      const state = states.find((each) => each !== 'done') ?? 'done';
      if (state !== 'open') this.#deps.journal.setState(id, state);
    } catch (error) {
      for (const run of runs.values()) run.stop('open');
      if (error instanceof SignatureError) {
        this.#deps.log.error(
          { ...errorFields(error), ...this.#deps.events.alertFields(id) },
          'fan-out stopped: not what was signed',
        );
        this.#deps.journal.setState(id, 'journaled');
      } else {
        // A fault of this node's (a disk that is busy or full): the alert stays open and is taken up again.
        this.#deps.log.error(
          { ...errorFields(error), ...this.#deps.events.alertFields(id) },
          'fan-out interrupted: it will go on',
        );
      }
    }
    this.#figures.set(id, figuresOf(runs));
    const oldest = this.#figures.keys().next().value;
    if (this.#figures.size > KEPT_FIGURES && oldest !== undefined) this.#figures.delete(oldest);
    this.#live.delete(id);
  }

  #runDeps(entry: JournalEntry, envelope: Envelope): Omit<RunDeps, 'send' | 'share'> {
    const { node, nodes, registry, trust, silent, unanswering, isReplicaWhole } = this.#deps;
    const { publishReceipt, reportGone, askFirst, events, now } = this.#deps;
    const canary = envelope.audience === 'canary';
    let checkedAtMs = now();
    const stillRight = async () => {
      if (now() - checkedAtMs < RECHECK_MS) return;
      await openEnvelope(entry.jws, this.#deps.verifyEnvelope);
      checkedAtMs = now();
    };
    return {
      node,
      nodes: canary ? [node] : nodes,
      registry,
      trust,
      silent,
      unanswering,
      isReplicaWhole,
      publishReceipt: canary ? () => undefined : publishReceipt,
      reportGone,
      stillRight,
      askFirst,
      events,
      now,
    };
  }

  /** For an alert of an earlier life of this node. */
  #figuresFromReceipts(id: string): DispatchProgress['transports'] {
    const all = this.#deps.journal.receiptsOf(id);
    const transports: Partial<Record<TransportKind, TransportProgress>> = {};
    for (const { kind } of this.#deps.transports) {
      const ofKind = all.filter((receipt) => receipt.transport === kind);
      const figures = figuresOfReceipts(this.#deps.node, ofKind);
      if (figures !== undefined) transports[kind] = figures;
    }
    return transports;
  }
}

function figuresOf(runs: ReadonlyMap<TransportKind, DispatchRun>): DispatchProgress['transports'] {
  return Object.fromEntries([...runs].map(([kind, run]) => [kind, run.progress()]));
}

/** Whom an alert is for. A canary is for the probes it names, whatever else is in its area (P6). */
export function recipientFilter(envelope: Envelope): RecipientFilter {
  if (envelope.audience === 'canary')
    return {
      kind: 'probes',
      deviceIds: (envelope.alert.addresses ?? '').split(/\s+/).filter(Boolean),
    };
  return { kind: 'public', reach: reachOf(envelope.areaCodes) };
}
