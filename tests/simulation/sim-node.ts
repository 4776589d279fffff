import { Absence } from '../../services/dispatcher/absence.ts';
import { decideArrival } from '../../services/dispatcher/arrival.ts';
import { GoneGuard } from '../../services/dispatcher/gone-guard.ts';
import type { Arrival, JournalState } from '../../services/dispatcher/journal.ts';
import type { Surroundings } from '../../services/dispatcher/run-events.ts';
import type { Outcome } from '../../services/dispatcher/transports/transport.ts';
import { RouteTrust } from '../../services/dispatcher/trust.ts';
import { TRANSPORTS, type TransportKind } from '../../shared/envelope/envelope.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { ProofReport } from '../../shared/receipt/proof.ts';
import { finestShard } from '../../shared/subscription/shard.ts';
import type { Checks } from './checks.ts';
import type { Hooks } from './hooks.ts';
import type { NodeSpec } from './scenario.ts';
import type { BusReader, SimBus, Talk } from './sim-bus.ts';
import type { SimDevice } from './sim-device.ts';
import type { SimEnvelope } from './sim-envelope.ts';
import { SimJournal } from './sim-journal.ts';
import { MAX_QUEUED, type Peer, SimLinks } from './sim-links.ts';
import type { SimProviders } from './sim-provider.ts';
import { type RunHost, SimRun, SLICE } from './sim-run.ts';
import type { World } from './world.ts';

/** The node died in the middle of what it was doing. */
class Crash extends Error {
  override readonly name = 'Crash';
}

/** The places in flight of one transport. */
const CAPACITY = 8;
/** A start waits no longer than this for its replica to be whole. */
const WHOLE_WITHIN_MS = 3_000;
const MAX_LINE = 100;
/** A node that was away sends on after this time, whoever has not answered. */
const ASK_WAIT_MS = 2_000;

interface Place {
  readonly run: SimRun;
  readonly lane: 'first' | 'retry';
}

/** What dies with the process. */
interface Life {
  readonly trust: RouteTrust;
  readonly links: SimLinks;
  readonly absence: Absence;
  readonly live: Map<string, { runs: SimRun[]; states: JournalState[] }>;
  readonly guard: GoneGuard;
  readonly used: Map<TransportKind, number>;
  readonly waiting: Map<TransportKind, Place[]>;
}

export interface NodeParts {
  readonly world: World;
  readonly checks: Checks;
  readonly hooks: Hooks;
  readonly nodes: readonly string[];
  readonly devices: ReadonlyMap<string, SimDevice>;
  readonly providers: SimProviders;
  readonly buses: readonly SimBus[];
  readonly peers: () => readonly Peer[];
}

/** A dispatcher: production's decisions (`decideArrival`, `RunCore`, `RouteTrust`, `GoneGuard`) in a simulated shell. */
export class SimNode implements BusReader, Peer {
  readonly name: string;
  readonly site: string;
  readonly #spec: NodeSpec;
  readonly #parts: NodeParts;
  journal: SimJournal;
  talkCursors = new Map<string, { created: number; read: number }>();
  /** Devices that the replica lacks: removed as gone, or not read yet. */
  readonly #removed = new Set<string>();
  #lacking: ReadonlySet<string> = new Set();
  #isWhole = true;
  #life: Life | undefined;
  #journals = 0;
  #frozen: { readonly sinceMs: number; readonly untilMs: number } | undefined;
  /** Since when it has been up and moving, and since when it has been back from an absence that it had to notice. */
  #movingSinceMs = 0;
  #backSinceMs = 0;
  /** The others did not answer the last time. */
  #gaveUpAtMs = 0;
  #fuse: number | undefined;
  isDead = false;

  constructor(spec: NodeSpec, parts: NodeParts) {
    this.name = spec.name;
    this.site = spec.site;
    this.#spec = spec;
    this.#parts = parts;
    this.journal = new SimJournal(0);
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  /** Another one for another journal: what the lost one had acknowledged comes again. */
  get consumer(): string {
    return `${this.name}-${this.journal.id}`;
  }

  get liveAlerts(): readonly string[] {
    return [...(this.#life?.live.keys() ?? [])].filter((id) => !id.startsWith('canary'));
  }

  now(): number {
    return this.#parts.world.nowMs + this.#spec.offsetMs;
  }

  holds(id: string): boolean {
    return this.journal.find(id) !== undefined;
  }

  /** Work comes in: lost when the node is down, later when it is frozen, cut short when it crashes in the middle. */
  take(work: () => void): void {
    const life = this.#life;
    if (life === undefined) return;
    const { world } = this.#parts;
    const waitMs = (this.#frozen?.untilMs ?? 0) - world.nowMs;
    if (waitMs > 0) {
      world.after(waitMs, () => {
        if (this.#life === life) this.take(work);
      });
      return;
    }
    try {
      this.#thaw(life);
      work();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#down();
    }
    this.#checkBounds();
  }

  start(): void {
    if (this.isDead || this.isUp) return;
    const { world, peers } = this.#parts;
    this.talkCursors = new Map();
    const now = () => this.now();
    // The links are made when the life is there: their first questions belong to it.
    const isAlive = () => this.#life === life;
    const links = new SimLinks(peers(), {
      self: this,
      world,
      now,
      later: (delayMs, work) => world.after(delayMs, () => isAlive() && this.take(work)),
      isAlive,
      takeAlert: (envelope) => this.takeAlert(envelope, 'peer'),
      takeReceipt: (receipt) => this.#heard(receipt),
      onHeard: (name) => isAlive() && this.#askIn(life, life.absence.heard(name, world.nowMs)),
    });
    const others = [...peers(), ...this.#parts.buses].map(({ name }) => name);
    const life: Life = {
      trust: new RouteTrust(now),
      links,
      absence: new Absence(others, world.nowMs),
      live: new Map(),
      guard: new GoneGuard(),
      used: new Map(),
      waiting: new Map(TRANSPORTS.map((kind) => [kind, []])),
    };
    this.#life = life;
    this.#movingSinceMs = world.nowMs;
    this.#backSinceMs = world.nowMs;
    world.note(() => `${this.name} starts`);
    this.#askIn(life, life.absence.started());
    this.journal.expireOpen(this.now());
    for (const bus of this.#parts.buses) bus.wake();
    world.after(this.#isWhole ? 0 : WHOLE_WITHIN_MS, () => {
      if (isAlive()) this.take(() => this.#resume());
    });
  }

  /** Dies now, or after so many more acts. */
  crash(afterActs: number): void {
    if (afterActs === 0) this.#down();
    else this.#fuse = afterActs;
  }

  freeze(untilMs: number): void {
    const { nowMs } = this.#parts.world;
    const sinceMs = this.#frozen?.sinceMs ?? nowMs;
    this.#frozen = { sinceMs, untilMs: Math.max(untilMs, this.#frozen?.untilMs ?? 0) };
  }

  /** Since when it has been up and moving, if it is. */
  get movingSinceMs(): number | undefined {
    if (!this.isUp || (this.#frozen?.untilMs ?? 0) > this.#parts.world.nowMs) return undefined;
    return Math.max(this.#movingSinceMs, this.#frozen?.untilMs ?? 0);
  }

  loseDisk(): void {
    this.#parts.checks.lostDisk(this.name);
    this.journal = new SimJournal(++this.#journals);
  }

  /** The replica lacks these devices, and the node knows that it may lack some. */
  lack(devices: Iterable<string>): void {
    this.#lacking = new Set(devices);
    this.#isWhole = false;
  }

  becomeWhole(): void {
    this.#lacking = new Set();
    this.#isWhole = true;
  }

  #thaw(life: Life): void {
    if (this.#frozen === undefined) return;
    const { sinceMs, untilMs } = this.#frozen;
    this.#frozen = undefined;
    const { nowMs } = this.#parts.world;
    this.#movingSinceMs = nowMs;
    if (untilMs - sinceMs > ASK_WAIT_MS) this.#backSinceMs = nowMs;
    this.#askIn(life, life.absence.stoodStill(untilMs - sinceMs, nowMs));
  }

  /** As `ask-first.ts` does it: all peers and all buses at once, and not for longer than two seconds. */
  #askIn(life: Life, round: number | undefined): void {
    if (round === undefined) return;
    const { world, buses, peers } = this.#parts;
    let open = peers().length + buses.length;
    const over = (how: 'answered' | 'time-over') => {
      if (how === 'time-over' && life.absence.mayHaveMissed) this.#gaveUpAtMs = world.nowMs;
      life.absence.asked(round, how, world.nowMs);
      if (!life.absence.mayHaveMissed) tellWaiting(life);
    };
    const answered = () => {
      open--;
      if (open === 0) over('answered');
    };
    for (const peer of peers()) life.links.ask(peer, answered);
    for (const bus of buses) {
      if (bus.isDown) {
        answered();
        continue;
      }
      world.request(
        this,
        bus,
        ASK_WAIT_MS,
        () => bus.unreadBy(this),
        (unread) => {
          if (this.#life !== life) return;
          for (const envelope of unread ?? []) this.takeAlert(envelope, 'bus');
          if (unread) this.#askIn(life, life.absence.heard(bus.name, world.nowMs));
          answered();
        },
      );
    }
    world.after(ASK_WAIT_MS, () => this.#life === life && this.take(() => over('time-over')));
  }

  takeFromBus(envelope: SimEnvelope): boolean {
    this.takeAlert(envelope, 'bus');
    return this.isUp;
  }

  takeTalk(talk: Talk): void {
    if (talk.type === 'proofs') this.takeProofs(talk.report, talk.storedAtMs);
    else this.takeReceipt(talk.receipt);
  }

  takeReceipt(receipt: CompletionReceipt): void {
    this.#life?.links.heardFrom(receipt.node);
    this.#heard(receipt);
  }

  takeProofs(report: ProofReport, spokenAtMs: number): void {
    this.#life?.trust.note(report, spokenAtMs);
    for (const { runs } of [...(this.#life?.live.values() ?? [])])
      for (const run of runs) run.reconsider();
  }

  /** As `take-alert.ts` does it: decide, write down, end what it ends, begin. */
  takeAlert(envelope: SimEnvelope, arrival: Arrival): void {
    const { hooks, world } = this.#parts;
    const known = this.journal.find(envelope.id);
    const decide = hooks.decideArrival?.(decideArrival) ?? decideArrival;
    const isEnded = this.journal.isEnded(envelope.id);
    const facts = { known, isEnded, self: this.name, nowMs: this.now() };
    const decision = decide(envelope, arrival, facts);
    for (const id of decision.ends) {
      this.#act();
      this.journal.end(id, world.nowMs);
    }
    if (decision.store !== undefined) {
      this.#act();
      this.journal.insert(envelope, decision.store, arrival);
      if (envelope.audience === 'public')
        world.note(() => `${this.name} stores ${envelope.id} by ${arrival}: ${decision.store}`);
    } else if (decision.noteArrival && known)
      this.journal.change(envelope.id, { arrivals: [...known.arrivals, arrival] });
    this.#act();
    for (const id of decision.ends)
      for (const run of [...(this.#life?.live.get(id)?.runs ?? [])]) run.stop('cancelled');
    if (decision.begin) this.#begin(envelope);
  }

  #resume(): void {
    for (const { envelope } of this.journal.open()) this.#begin(envelope);
  }

  #begin(envelope: SimEnvelope): void {
    const life = this.#life;
    const { hooks, nodes } = this.#parts;
    if (life === undefined || life.live.has(envelope.id)) return;
    const isEnded = this.journal.isEnded(envelope.id);
    if (hooks.isEnded?.(isEnded) ?? isEnded) {
      this.journal.change(envelope.id, { state: 'cancelled' });
      return;
    }
    const { id, path, shards, expiresAtMs } = envelope;
    const earlier = path ? [] : this.journal.receiptsOf(id);
    const group: { runs: SimRun[]; states: JournalState[] } = { runs: [], states: [] };
    life.live.set(id, group);
    for (const transport of TRANSPORTS) {
      if (path && path.transport !== transport) continue;
      const cast = { self: this.name, nodes: path ? [this.name] : nodes };
      const setup = { alertId: id, transport, shards, expiresAtMs, ...cast };
      group.runs.push(new SimRun(envelope, setup, this.#hostFor(life, envelope)));
    }
    for (const run of [...group.runs])
      run.begin(earlier.filter(({ transport }) => transport === run.transport));
  }

  #hostFor(life: Life, envelope: SimEnvelope): RunHost {
    const { hooks, world } = this.#parts;
    const isAlive = () => this.#life === life;
    const inLife = (work: () => void) => isAlive() && this.take(work);
    return {
      hooks,
      now: () => this.now(),
      surroundings: (transport) => this.#surroundings(life, transport),
      act: () => this.#act(),
      later: (delayMs, work) => world.after(delayMs, () => inLife(work)),
      page: (what, transport, shard, after) => this.#page(what, transport, shard, after),
      mayHaveMissed: () =>
        hooks.mayHaveMissed?.(life.absence.mayHaveMissed) ?? life.absence.mayHaveMissed,
      isSubscribed: (deviceId) => !this.#removed.has(deviceId) && !this.#lacking.has(deviceId),
      takePlace: (run, lane) => takePlace(life, { run, lane }),
      freePlace: (transport) => freePlace(life, transport),
      send: (run, deviceId, done) =>
        this.#send(run, deviceId, (outcome) => inLife(() => done(outcome))),
      say: (receipt) => this.#say(receipt, envelope),
      reportGone: (transport, deviceIds, sent) =>
        this.#removeGone(life, transport, deviceIds, sent),
      ended: (_run, state) => this.#ended(life, envelope, state),
      note: (line) => world.note(() => `${this.name} ${line()}`),
    };
  }

  #surroundings({ trust, links }: Life, transport: TransportKind): Surroundings {
    return {
      nowMs: this.now(),
      trust: (node, heardAtMs) => trust.of(node, transport, heardAtMs),
      isProved: (node) => trust.isProved(node, transport),
      silent: (node) => links.silent(node),
      unanswering: (node) => links.unanswering(node),
      isReplicaWhole: this.#isWhole,
    };
  }

  #page(envelope: SimEnvelope, transport: TransportKind, shard: number, after: string): string[] {
    const { devices, hooks } = this.#parts;
    const width = 1024 / envelope.shards;
    const ids: string[] = [];
    for (const { spec } of devices.values()) {
      if (spec.transport !== transport || spec.id <= after) continue;
      if (this.#removed.has(spec.id) || this.#lacking.has(spec.id)) continue;
      const isNamed = envelope.probes.includes(spec.id) || hooks.canaryForEverybody === true;
      const isFor = envelope.path ? isNamed : spec.probe || envelope.areas.includes(spec.area);
      if (isFor && Math.floor(finestShard(spec.id) / width) === shard) ids.push(spec.id);
    }
    return ids.sort().slice(0, SLICE);
  }

  #send(run: SimRun, deviceId: string, done: (outcome: Outcome) => void): void {
    const { devices, providers, checks, world } = this.#parts;
    const device = devices.get(deviceId);
    if (device === undefined) throw new Error(`no device ${deviceId}`);
    const { envelope, transport } = run;
    const isEnded = this.journal.isEnded(envelope.id);
    const knowsBetter = this.#whoKnowsThatItEnded(envelope.id);
    const facts = { name: this.name, isEnded, nowMs: this.now(), knowsBetter };
    checks.sending(facts, device.spec, envelope);
    providers.send({ node: this.name, transport, device, envelope }, (outcome) => {
      if (envelope.audience === 'public')
        world.note(() => `${this.name} sent ${envelope.id} to ${deviceId}: ${outcome.kind}`);
      done(outcome);
    });
  }

  /** Somebody who could be asked ever since this node came back, and could have told it then. */
  #whoKnowsThatItEnded(id: string): string | undefined {
    const { world, peers } = this.#parts;
    const sinceMs = this.#backSinceMs;
    if (sinceMs - this.#gaveUpAtMs < 2 * ASK_WAIT_MS) return undefined;
    return peers().find(
      (peer) =>
        (peer.journal.endedAtMs(id) ?? Number.POSITIVE_INFINITY) <= sinceMs &&
        (peer.movingSinceMs ?? Number.POSITIVE_INFINITY) <= sinceMs &&
        world.haveMetSince(sinceMs, this.name, peer.name),
    )?.name;
  }

  #say(receipt: CompletionReceipt, envelope: SimEnvelope): void {
    if (envelope.path) return;
    const { world, buses } = this.#parts;
    this.#act();
    this.journal.addReceipt(receipt, world.nowMs);
    const { shard, shards, pending, takenOverFrom, revision } = receipt;
    const of = takenOverFrom === undefined ? '' : `, taken over from ${takenOverFrom}`;
    world.note(
      () =>
        `${this.name} says ${receipt.alertId}/${receipt.transport} ${shard} of ${shards}${of}: pending [${pending.join(' ')}], revision ${revision}`,
    );
    this.#act();
    this.#life?.links.say(receipt);
    for (const bus of buses) world.send(this.name, bus, () => bus.storeReceipt(receipt));
  }

  #heard(receipt: CompletionReceipt): void {
    if (receipt.node === this.name) return;
    if (!this.journal.addReceipt(receipt, this.#parts.world.nowMs)) return;
    for (const run of [...(this.#life?.live.get(receipt.alertId)?.runs ?? [])])
      if (run.transport === receipt.transport) run.heard(receipt);
  }

  #removeGone(
    { guard }: Life,
    transport: TransportKind,
    deviceIds: readonly string[],
    sent: number,
  ): void {
    const size = this.#parts.devices.size - this.#removed.size;
    if (!guard.mayRemove({ transport, gone: deviceIds.length, sent }, size, this.now())) return;
    for (const deviceId of deviceIds) {
      this.#parts.checks.removed(deviceId, this.name);
      this.#removed.add(deviceId);
    }
  }

  /** The alert's state is written when the runs of all its transports have ended. */
  #ended(life: Life, { id, path }: SimEnvelope, state: JournalState): void {
    const group = life.live.get(id);
    if (group === undefined) return;
    group.states.push(state);
    if (group.states.length < group.runs.length) return;
    life.live.delete(id);
    this.#act();
    this.journal.change(id, { state: group.states.find((each) => each !== 'done') ?? 'done' });
    if (!path) this.#parts.world.note(() => `${this.name} has ended ${id}: ${state}`);
  }

  #act(): void {
    if (this.#fuse === undefined) return;
    this.#fuse--;
    if (this.#fuse <= 0) throw new Crash();
  }

  #down(): void {
    this.#fuse = undefined;
    if (!this.isUp) return;
    this.#life = undefined;
    this.#frozen = undefined;
    this.journal.crash(this.#parts.world.nowMs);
    this.#parts.world.note(() => `${this.name} is down`);
  }

  #checkBounds(): void {
    const life = this.#life;
    if (life === undefined) return;
    const { checks } = this.#parts;
    for (const used of life.used.values()) checks.bounded('sends in flight', used, CAPACITY);
    checks.bounded('receipts for a peer', life.links.longestQueue, MAX_QUEUED);
    for (const { runs } of life.live.values())
      for (const run of runs) checks.bounded('work of a run', run.lineLength, MAX_LINE);
  }
}

function takePlace(life: Life, place: Place): boolean {
  const { transport } = place.run;
  const used = life.used.get(transport) ?? 0;
  if (used < CAPACITY) {
    life.used.set(transport, used + 1);
    return true;
  }
  const waiting = life.waiting.get(transport) ?? [];
  if (!waiting.some(({ run, lane }) => run === place.run && lane === place.lane))
    waiting.push(place);
  return false;
}

function tellWaiting(life: Life): void {
  for (const { runs } of life.live.values())
    for (const run of runs) for (const lane of ['first', 'retry'] as const) run.goOn(lane);
}

/** All who wait are told, first tries first: one alone might have nothing to send any more, and nobody be told again. */
function freePlace(life: Life, transport: TransportKind): void {
  life.used.set(transport, (life.used.get(transport) ?? 1) - 1);
  const told = (life.waiting.get(transport) ?? []).splice(0);
  for (const lane of ['first', 'retry'] as const)
    for (const place of told) if (place.lane === lane) place.run.goOn(lane);
}
