import { EventQueue, type Scheduled } from './event-queue.ts';
import { createRandom, type Random } from './prng.ts';
import { EPOCH_MS } from './scenario.ts';

/** Why a run of the simulator failed. `invariant` is the promise's number in the design. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

/** Whoever takes messages. Not taking one (down, frozen) is the receiver's matter. */
export interface Party {
  readonly name: string;
  readonly take: (work: () => void) => void;
}

interface Cut {
  readonly from: ReadonlySet<string>;
  readonly to: ReadonlySet<string>;
}

/** More than this never waits at once (P12); a leak shows itself here. */
const MAX_WAITING = 60_000;

/** Virtual time, chance, and the net between the parties. */
export class World {
  readonly random: Random;
  readonly queue = new EventQueue();
  readonly trace: string[] | undefined;
  nowMs = EPOCH_MS;
  steps = 0;
  net: { lost: number; late: number; repeated: number };
  readonly cuts = new Set<Cut>();
  /** When the last cut was healed. */
  #healedAtMs = Number.NEGATIVE_INFINITY;
  /** Since when no message is lost or late. */
  #calmSinceMs: number;

  constructor(seed: number, net: World['net'], isTraced: boolean) {
    this.random = createRandom(seed ^ 0x5eed);
    this.net = net;
    this.#calmSinceMs =
      net.lost + net.late === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    this.trace = isTraced ? [] : undefined;
  }

  /** Goes on until `isOver` says so, nothing is left, or `maxSteps` are done. */
  run(maxSteps: number, isOver: () => boolean): void {
    while (this.steps < maxSteps) {
      const event = this.queue.next();
      if (event === undefined) return;
      if (event.cancelled) continue;
      this.nowMs = event.atMs;
      this.steps++;
      event.run();
      if (this.queue.size > MAX_WAITING)
        throw new Violation('P12', `${this.queue.size} events wait at once`);
      if (isOver()) return;
    }
  }

  after(delayMs: number, run: () => void): Scheduled {
    return this.queue.add(this.nowMs + delayMs, run);
  }

  at(sinceEpochMs: number, run: () => void): void {
    this.queue.add(EPOCH_MS + sinceEpochMs, run);
  }

  note(line: () => string): void {
    if (this.trace === undefined) return;
    const seconds = ((this.nowMs - EPOCH_MS) / 1000).toFixed(3).padStart(9);
    this.trace.push(`${seconds}  ${line()}`);
  }

  heal(cuts: Iterable<Cut>): void {
    for (const cut of cuts) this.cuts.delete(cut);
    this.#healedAtMs = this.nowMs;
  }

  /** No message is lost, late or repeated any more. */
  calmDown(): void {
    this.net = { lost: 0, late: 0, repeated: 0 };
    this.#calmSinceMs = Math.min(this.#calmSinceMs, this.nowMs);
  }

  /** Whatever one of them asked the other from that instant on was answered soon, as far as the net goes. */
  haveMetSince(sinceMs: number, one: string, other: string): boolean {
    const isCut = this.isCut(one, other) || this.isCut(other, one);
    return !isCut && this.#healedAtMs < sinceMs && this.#calmSinceMs < sinceMs;
  }

  isCut(from: string, to: string): boolean {
    for (const cut of this.cuts) if (cut.from.has(from) && cut.to.has(to)) return true;
    return false;
  }

  /** A message that may be lost, late, repeated, overtaken. */
  send(from: string, to: Party, work: () => void): void {
    const { random, net } = this;
    if (this.isCut(from, to.name) || random.chance(net.lost)) return;
    const deliver = () => {
      if (!this.isCut(from, to.name)) to.take(work);
    };
    const delay = () =>
      random.chance(net.late) ? random.between(200, 4_000) : random.between(1, 30);
    this.after(delay(), deliver);
    if (random.chance(net.repeated)) this.after(delay(), deliver);
  }

  /** A question and its answer; `done` is called once, with nothing when no answer came in time. */
  request<Answer>(
    from: Party,
    to: Party,
    timeoutMs: number,
    answer: () => Answer,
    done: (answer: Answer | undefined) => void,
  ): void {
    let isSettled = false;
    const settle = (value: Answer | undefined) => {
      if (isSettled) return;
      isSettled = true;
      timeout.cancelled = true;
      done(value);
    };
    const timeout = this.after(timeoutMs, () => settle(undefined));
    this.send(from.name, to, () => {
      const value = answer();
      this.send(to.name, from, () => settle(value));
    });
  }
}
