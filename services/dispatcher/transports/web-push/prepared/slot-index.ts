/**
 * Where a fingerprint's record is: an open-addressing table in one flat array, 8 bytes for each place, so 11 to 22 for
 * each record. A place keeps the fingerprint's first word beside the slot, so most wrong places are passed over without a
 * look at the record itself; `isAt` decides the rest.
 */
export class SlotIndex {
  /** For each place a tag, and a slot's number + 1; 0 there is an empty place. */
  readonly #words: Int32Array;
  readonly #mask: number;

  /** At most three quarters of the places are ever used. */
  constructor(capacity: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(2, (capacity * 4) / 3)));
    this.#words = new Int32Array(2 * places);
    this.#mask = places - 1;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** The place of the slot that `isAt` says yes to, or -1. It is good until something is added or removed. */
  find(tag: number, isAt: (slot: number) => boolean): number {
    for (let place = tag & this.#mask; ; place = (place + 1) & this.#mask) {
      const slot = this.slotAt(place);
      if (slot < 0) return -1;
      if (this.#tagAt(place) === tag && isAt(slot)) return place;
    }
  }

  /** -1: the place is empty. */
  slotAt(place: number): number {
    return (this.#words[2 * place + 1] ?? 0) - 1;
  }

  /** The fingerprint must not be there yet. */
  add(tag: number, slot: number): void {
    let place = tag & this.#mask;
    while (this.slotAt(place) >= 0) place = (place + 1) & this.#mask;
    this.#put(place, tag, slot);
  }

  /** Empties a place and moves up what stood behind it, so that no search ends too early. */
  removeAt(place: number): void {
    const mask = this.#mask;
    let hole = place;
    for (let next = (hole + 1) & mask; this.slotAt(next) >= 0; next = (next + 1) & mask) {
      const home = this.#tagAt(next) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.#put(hole, this.#tagAt(next), this.slotAt(next));
      hole = next;
    }
    this.#put(hole, 0, -1);
  }

  #put(place: number, tag: number, slot: number): void {
    this.#words[2 * place] = tag;
    this.#words[2 * place + 1] = slot + 1;
  }

  #tagAt(place: number): number {
    return this.#words[2 * place] ?? 0;
  }
}
