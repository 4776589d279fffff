/** The process stood still for so long (frozen, suspended, its event loop blocked): what came meanwhile is still unread. */
const STILL_MS = 2_000;
/** Who was not heard of for so long and is back may know what this node does not. */
const UNHEARD_MS = 5_000;
/** A machine that stands still again and again, with nobody to answer it, must come to send in between. */
const NOT_AGAIN_MS = 4_000;

/**
 * Whether this node may have missed the end of an alert (a Cancel, an Update) while it was away, as a state machine.
 * While it may, sends are held back; the shell asks everybody and says when they have answered, or that time is over:
 * availability goes before a repeat. Instants are of one clock that only goes forward (ms). A number that is returned is
 * the round in which to ask now; only the latest one's end counts.
 */
export class Absence {
  readonly #heardAtMs = new Map<string, number>();
  #round = 0;
  #isOpen = false;
  #gaveUpAtMs = Number.NEGATIVE_INFINITY;
  /** Nobody was heard of, and no send got as far as its provider. */
  #isCutOff = false;

  /** `names`: the peers and buses that there should be. */
  constructor(names: readonly string[], nowMs: number) {
    for (const name of names) this.#heardAtMs.set(name, nowMs);
  }

  get mayHaveMissed(): boolean {
    return this.#isOpen;
  }

  /** A node that starts was away as well. */
  started(): number {
    return this.#ask();
  }

  /** The process did nothing for `gapMs` and goes on at `nowMs`. */
  stoodStill(gapMs: number, nowMs: number): number | undefined {
    if (gapMs <= STILL_MS) return undefined;
    for (const [name, heardAtMs] of this.#heardAtMs) this.#heardAtMs.set(name, heardAtMs + gapMs);
    return nowMs - this.#gaveUpAtMs < NOT_AGAIN_MS ? undefined : this.#ask();
  }

  /** Something came from a peer or a bus. */
  heard(name: string, nowMs: number): number | undefined {
    const beforeMs = this.#heardAtMs.get(name) ?? nowMs;
    this.#heardAtMs.set(name, nowMs);
    return nowMs - beforeMs > UNHEARD_MS ? this.#ask() : undefined;
  }

  /** A send came to its provider, whatever the answer, or found no way to it. */
  sendEnded(hasReached: boolean, nowMs: number): number | undefined {
    if (!hasReached) {
      this.#isCutOff ||= this.#isAlone(nowMs);
      return undefined;
    }
    const isBack = this.#isCutOff;
    this.#isCutOff = false;
    return isBack ? this.#ask() : undefined;
  }

  /** All who were asked in that round have answered or can't be reached; or time is over for some. */
  asked(round: number, how: 'answered' | 'time-over', nowMs: number): void {
    if (round !== this.#round) return;
    this.#isOpen = false;
    if (how === 'time-over') this.#gaveUpAtMs = nowMs;
  }

  #ask(): number {
    this.#isOpen = true;
    return ++this.#round;
  }

  #isAlone(nowMs: number): boolean {
    for (const heardAtMs of this.#heardAtMs.values())
      if (nowMs - heardAtMs <= UNHEARD_MS) return false;
    return true;
  }
}
