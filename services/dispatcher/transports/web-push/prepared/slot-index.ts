/**
 * Where a fingerprint's record is: an open-addressing table in two flat arrays, 8 bytes for each place, so 11 to 22 for
 * each record. A place keeps the fingerprint's first word, so most wrong places are passed over without a look
 * at the record itself; `isAt` decides the rest.
 */
export class SlotIndex {
  readonly #tags: Uint32Array;
  /** Slot number + 1; 0 is an empty place. */
  readonly #slots: Uint32Array;
  readonly #mask: number;

  /** At most three quarters of the places are ever used. */
  constructor(capacity: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(2, (capacity * 4) / 3)));
    this.#tags = new Uint32Array(places);
    this.#slots = new Uint32Array(places);
    this.#mask = places - 1;
  }

  get bytes(): number {
    return this.#tags.byteLength + this.#slots.byteLength;
  }

  /** The slot, or -1. */
  find(tag: number, isAt: (slot: number) => boolean): number {
    const place = this.#place(tag, isAt);
    return place < 0 ? -1 : this.#slotAt(place) - 1;
  }

  /** The fingerprint must not be there yet. */
  add(tag: number, slot: number): void {
    let place = tag & this.#mask;
    while (this.#slotAt(place) !== 0) place = (place + 1) & this.#mask;
    this.#tags[place] = tag;
    this.#slots[place] = slot + 1;
  }

  /** Removes a slot and moves up what stood behind it, so that no search ends too early. */
  remove(tag: number, slot: number): void {
    let hole = this.#place(tag, (other) => other === slot);
    if (hole < 0) return;
    const mask = this.#mask;
    for (let place = (hole + 1) & mask; this.#slotAt(place) !== 0; place = (place + 1) & mask) {
      const home = this.#tagAt(place) & mask;
      if (((place - home) & mask) < ((place - hole) & mask)) continue;
      this.#tags[hole] = this.#tagAt(place);
      this.#slots[hole] = this.#slotAt(place);
      hole = place;
    }
    this.#tags[hole] = 0;
    this.#slots[hole] = 0;
  }

  #place(tag: number, isAt: (slot: number) => boolean): number {
    const wanted = tag >>> 0;
    for (let place = tag & this.#mask; ; place = (place + 1) & this.#mask) {
      const slot = this.#slotAt(place);
      if (slot === 0) return -1;
      if (this.#tagAt(place) === wanted && isAt(slot - 1)) return place;
    }
  }

  #slotAt(place: number): number {
    return this.#slots[place] ?? 0;
  }

  #tagAt(place: number): number {
    return this.#tags[place] ?? 0;
  }
}
