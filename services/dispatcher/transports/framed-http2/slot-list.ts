const NONE = -1;

/** A list of numbers below `size`, each in it at most once; made once, everything in constant time. */
export class SlotList {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #isIn: Uint8Array;
  #first = NONE;
  #last = NONE;
  #count = 0;

  constructor(size: number) {
    this.#next = new Int32Array(size);
    this.#previous = new Int32Array(size);
    this.#isIn = new Uint8Array(size);
  }

  get count(): number {
    return this.#count;
  }

  /** -1: it is empty. */
  get first(): number {
    return this.#first;
  }

  /** -1: none. */
  after(slot: number): number {
    return this.#next[slot] ?? NONE;
  }

  append(slot: number): void {
    this.#put(slot, this.#last, NONE);
  }

  prepend(slot: number): void {
    this.#put(slot, NONE, this.#first);
  }

  /** Nothing happens if it is not in. */
  remove(slot: number): void {
    if (this.#isIn[slot] !== 1) return;
    this.#isIn[slot] = 0;
    this.#count--;
    const previous = this.#previous[slot] ?? NONE;
    const next = this.#next[slot] ?? NONE;
    if (previous === NONE) this.#first = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#last = previous;
    else this.#previous[next] = previous;
  }

  #put(slot: number, previous: number, next: number): void {
    this.#isIn[slot] = 1;
    this.#count++;
    this.#previous[slot] = previous;
    this.#next[slot] = next;
    if (previous === NONE) this.#first = slot;
    else this.#next[previous] = slot;
    if (next === NONE) this.#last = slot;
    else this.#previous[next] = slot;
  }
}
