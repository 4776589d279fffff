/** A 53-bit number for some bytes: enough to tell a few million addresses apart. */
export function keyOf(bytes: Uint8Array, start: number, end: number): number {
  let high = 0xdeadbeef ^ (end - start);
  let low = 0x41c6ce57;
  for (let i = Math.max(start, end - LONGEST); i < end; i++) {
    const byte = bytes[i] ?? 0;
    high = Math.imul(high ^ byte, 2654435761);
    low = Math.imul(low ^ byte, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  // Never 0: that stands for an empty place.
  return 4294967296 * (0x1fffff & low) + (high >>> 0) || 1;
}

/** Addresses differ in their last characters. */
const LONGEST = 48;

/** A set of such numbers in one flat array: a million of them cost 32 MB and no garbage. */
export class SeenKeys {
  #places = new Float64Array(1 << 14);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** True when it was not there before. */
  add(key: number): boolean {
    if (this.#size * 2 >= this.#places.length) this.#grow();
    const at = this.#placeOf(key);
    if (this.#places[at] === key) return false;
    this.#places[at] = key;
    this.#size++;
    return true;
  }

  clear(): void {
    this.#places.fill(0);
    this.#size = 0;
  }

  #placeOf(key: number): number {
    const mask = this.#places.length - 1;
    let at = (key % 4294967296) & mask;
    while (this.#places[at] !== 0 && this.#places[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const before = this.#places;
    this.#places = new Float64Array(before.length * 4);
    for (const key of before) if (key !== 0) this.#places[this.#placeOf(key)] = key;
  }
}
