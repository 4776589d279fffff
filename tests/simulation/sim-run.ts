import type { JournalState } from '../../services/dispatcher/journal.ts';
import { RunCore } from '../../services/dispatcher/run-core.ts';
import type {
  RunDecision,
  RunEvent,
  RunSetup,
  SendTask,
  Surroundings,
} from '../../services/dispatcher/run-events.ts';
import type { Outcome } from '../../services/dispatcher/transports/transport.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { Hooks } from './hooks.ts';
import type { SimEnvelope } from './sim-envelope.ts';

type Work = Extract<RunDecision, { type: 'load' | 'send' }>;
type SendWork = Extract<Work, { type: 'send' }>;
type LaneName = SendTask['lane'];

/** What a run needs of the node around it. */
export interface RunHost {
  readonly hooks: Hooks;
  readonly now: () => number;
  readonly surroundings: (transport: TransportKind) => Surroundings;
  /** Something that a crash may fall in front of: a write, a send. */
  readonly act: () => void;
  /** Runs it a little later, unless this life of the node is over by then. */
  readonly later: (delayMs: number, work: () => void) => void;
  readonly page: (
    envelope: SimEnvelope,
    transport: TransportKind,
    shard: number,
    after: string,
  ) => string[];
  /** It was away and has not heard yet what ended meanwhile. */
  readonly mayHaveMissed: () => boolean;
  readonly isSubscribed: (deviceId: string) => boolean;
  readonly takePlace: (run: SimRun, lane: LaneName) => boolean;
  readonly freePlace: (transport: TransportKind) => void;
  readonly send: (run: SimRun, deviceId: string, done: (outcome: Outcome) => void) => void;
  readonly say: (receipt: CompletionReceipt) => void;
  readonly reportGone: (
    transport: TransportKind,
    deviceIds: readonly string[],
    sent: number,
  ) => void;
  readonly ended: (run: SimRun, state: JournalState) => void;
  readonly note: (line: () => string) => void;
}

export const SLICE = 5;
const TICK_MS = 200;
/** After this long without news ticks come seldom: nothing but time passes then, and a simulated night is long. */
const BUSY_MS = 2_000;
const IDLE_TICK_MS = 2_500;

/** The shell around the production core, as `DispatchRun` is one: feeds it, does what it decides, decides nothing. */
export class SimRun {
  readonly envelope: SimEnvelope;
  readonly transport: TransportKind;
  readonly #setup: RunSetup;
  readonly #core: RunCore;
  readonly #host: RunHost;
  readonly #lines: Record<LaneName, Work[]> = { first: [], retry: [] };
  readonly #isPumping: Record<LaneName, boolean> = { first: false, retry: false };
  /** How far the send at the head of a line has come. */
  readonly #begun: Record<LaneName, number> = { first: 0, retry: 0 };
  #newsAtMs = 0;

  constructor(envelope: SimEnvelope, setup: RunSetup, host: RunHost) {
    this.envelope = envelope;
    this.transport = setup.transport;
    this.#setup = host.hooks.setup?.(setup) ?? setup;
    this.#core = new RunCore(this.#setup);
    this.#host = host;
  }

  get lineLength(): number {
    return this.#lines.first.length + this.#lines.retry.length;
  }

  begin(earlier: readonly CompletionReceipt[]): void {
    this.#feed({ type: 'begin', earlier });
    this.#tickLater();
  }

  stop(state: JournalState): void {
    this.#feed({ type: 'stop', state });
  }

  heard(receipt: CompletionReceipt): void {
    this.#feed({ type: 'receipt', receipt });
  }

  reconsider(): void {
    this.#feed({ type: 'tick' });
  }

  /** A place has come free, or sends are held back no longer. */
  goOn(lane: LaneName): void {
    this.#pumpSoon(lane);
  }

  #tickLater(): void {
    const isBusy = this.#host.now() - this.#newsAtMs < BUSY_MS;
    this.#host.later(isBusy ? TICK_MS : IDLE_TICK_MS, () => {
      if (this.#core.ended !== undefined) return;
      this.#feed({ type: 'tick' });
      this.#tickLater();
    });
  }

  #feed(event: RunEvent): void {
    const { hooks, now, surroundings } = this.#host;
    if (event.type !== 'tick') this.#newsAtMs = now();
    const around = surroundings(this.transport);
    const seen = hooks.event?.(event, this.#setup) ?? event;
    const real = this.#core.step(seen, hooks.around?.(around) ?? around);
    const decisions = hooks.decisions?.(real, this.#setup) ?? real;
    for (const decision of decisions) this.#carryOut(decision);
  }

  #carryOut(decision: RunDecision): void {
    const { say, reportGone, ended, note } = this.#host;
    switch (decision.type) {
      case 'say':
        say(decision.receipt);
        return;
      case 'gone':
        reportGone(this.transport, decision.deviceIds, decision.sent);
        return;
      case 'took-over':
        note(() => `takes over shard ${decision.shard} of ${decision.from}: ${this.#name}`);
        return;
      case 'end':
        ended(this, decision.state);
        return;
      case 'load':
        this.#add('first', decision);
        return;
      case 'send':
        this.#add(decision.task.lane, decision);
    }
  }

  get #name(): string {
    return `${this.envelope.id}/${this.transport}`;
  }

  #add(lane: LaneName, work: Work): void {
    this.#lines[lane].push(work);
    this.#pumpSoon(lane);
  }

  /** What takes time happens after what does not. */
  #pumpSoon(lane: LaneName): void {
    if (this.#isPumping[lane]) return;
    this.#isPumping[lane] = true;
    this.#host.later(0, () => {
      this.#isPumping[lane] = false;
      this.#pump(lane);
    });
  }

  #pump(lane: LaneName): void {
    const line = this.#lines[lane];
    for (let work = line[0]; work !== undefined; work = line[0]) {
      if (this.#core.ended !== undefined) {
        line.length = 0;
        return;
      }
      if (work.type === 'load') this.#load(work.shard, work.after);
      else if (!this.#beginAll(work, lane)) return;
      line.shift();
      this.#begun[lane] = 0;
    }
  }

  #load(shard: number, after: string): void {
    const deviceIds = this.#host.page(this.envelope, this.transport, shard, after);
    this.#feed({ type: 'slice', shard, deviceIds, complete: deviceIds.length < SLICE });
  }

  /** False: no place is free; it goes on when one is. */
  #beginAll({ task, deviceIds, isBackwards }: SendWork, lane: LaneName): boolean {
    for (;;) {
      const begun = this.#begun[lane];
      const deviceId = deviceIds[isBackwards ? deviceIds.length - 1 - begun : begun];
      if (deviceId === undefined) return true;
      if (this.#host.mayHaveMissed() || !this.#host.takePlace(this, lane)) return false;
      this.#begun[lane]++;
      this.#beginOne(task, deviceId);
    }
  }

  #beginOne(task: SendTask, deviceId: string): void {
    const { act, isSubscribed, now, freePlace, send } = this.#host;
    const isOurs = isSubscribed(deviceId);
    if (isOurs && this.#core.mayBegin(now())) {
      act();
      send(this, deviceId, (outcome) => {
        freePlace(this.transport);
        this.#feed({ type: 'outcome', task, deviceId, outcome });
      });
      return;
    }
    freePlace(this.transport);
    const outcome = { kind: isOurs ? ('not-sent' as const) : ('unknown-device' as const) };
    this.#feed({ type: 'outcome', task, deviceId, outcome });
  }
}
