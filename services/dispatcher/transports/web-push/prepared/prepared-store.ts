import { randomBytes } from 'node:crypto';
import {
  createFingerprint,
  FINGERPRINT_WORDS,
  type Fingerprint,
  type TakeFingerprint,
  type WebPushKeys,
} from './fingerprint.ts';
import { RECORD_BYTES } from './record-layout.ts';
import { SlotIndex } from './slot-index.ts';

/** Record, 2 bytes of state, 12 bytes of fingerprint. */
export const SLOT_BYTES = 128;
const STATE_AT = RECORD_BYTES;
const PASS_AT = STATE_AT + 1;
/** In words of 32 bits. */
const FINGERPRINT_AT = (PASS_AT + 1) / 4;
const SLOTS_IN_CHUNK = 1_024;
const READY = 1;

interface Chunk {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/**
 * This node's prepared records, one for each subscription at most, found by the subscription's keys. Only in memory, never
 * copied to another node: two nodes with the same record would encrypt two texts under one key and nonce.
 *
 * {@link PreparedStore.take} is the only way out, and it forgets the record before it returns: none is used twice. At
 * most 128 bytes a record and 22 of index; memory for records is taken as they come.
 */
export class PreparedStore {
  readonly capacity: number;
  readonly #index: SlotIndex;
  readonly #chunks: Chunk[] = [];
  readonly #fingerprintOf: TakeFingerprint;
  readonly #wanted: Fingerprint = new Int32Array(FINGERPRINT_WORDS);
  /** Slots that were used and are free again, as a chain: each holds the next one's number + 1 in its first word. */
  #firstFree = 0;
  #slotsMade = 0;
  #ready = 0;
  #pass = 0;

  /** `capacity`: how many records at most; further subscriptions are encrypted for on the spot. */
  constructor(capacity: number, takeFingerprint?: TakeFingerprint) {
    this.capacity = capacity;
    this.#index = new SlotIndex(capacity);
    const seed = randomBytes(8);
    this.#fingerprintOf =
      takeFingerprint ?? createFingerprint([seed.readInt32LE(0), seed.readInt32LE(4)]);
  }

  /** Records that are ready. */
  get ready(): number {
    return this.#ready;
  }

  get isFull(): boolean {
    return this.#ready >= this.capacity;
  }

  /** Of records and index, as reserved now. */
  get bytes(): number {
    return this.#chunks.length * SLOTS_IN_CHUNK * SLOT_BYTES + this.#index.bytes;
  }

  /**
   * Moves the record for a subscription's keys into `into` (114 bytes). Before this returns the store has forgotten and
   * wiped it. False when there is none.
   */
  take(keys: WebPushKeys, into: Uint8Array): boolean {
    this.#fingerprintOf(keys, this.#wanted);
    const place = this.#find();
    if (place < 0) return false;
    const slot = this.#index.slotAt(place);
    const { bytes } = this.#chunkOf(slot);
    const at = byteAt(slot);
    bytes[at + STATE_AT] = 0;
    into.set(bytes.subarray(at, at + RECORD_BYTES));
    this.#drop(slot, place);
    return true;
  }

  /**
   * Whether a record should be made for these keys. One that is there counts as wanted in this pass. The fingerprint for
   * {@link PreparedStore.put} is left in `into`.
   */
  lacks(keys: WebPushKeys, into: Fingerprint): boolean {
    this.#fingerprintOf(keys, into);
    this.#wanted.set(into);
    const place = this.#find();
    if (place < 0) return true;
    const slot = this.#index.slotAt(place);
    this.#chunkOf(slot).bytes[byteAt(slot) + PASS_AT] = this.#pass;
    return false;
  }

  /** Takes in a copy of a fresh record. False when the store is full or has one for these keys already. */
  put(fingerprint: Fingerprint, record: Uint8Array): boolean {
    this.#wanted.set(fingerprint);
    if (this.isFull || this.#find() >= 0) return false;
    const slot = this.#freeSlot();
    const { bytes, words } = this.#chunkOf(slot);
    const at = byteAt(slot);
    bytes.set(record, at);
    bytes[at + PASS_AT] = this.#pass;
    words.set(fingerprint, at / 4 + FINGERPRINT_AT);
    bytes[at + STATE_AT] = READY;
    this.#index.add(this.#wanted[0] ?? 0, slot);
    this.#ready++;
    return true;
  }

  /** From here on records are marked that a subscription still wants. */
  beginPass(): void {
    this.#pass = (this.#pass + 1) & 255;
  }

  /**
   * After a pass over all subscriptions: forgets, among `limit` slots from `from`, records that none wanted (the device
   * is gone or has other keys). Returns where to go on, or undefined at the end.
   */
  sweep(from: number, limit: number): number | undefined {
    const end = Math.min(from + limit, this.#slotsMade);
    for (let slot = from; slot < end; slot++) {
      const { bytes } = this.#chunkOf(slot);
      const at = byteAt(slot);
      if (bytes[at + STATE_AT] === READY && bytes[at + PASS_AT] !== this.#pass) this.#drop(slot);
    }
    return end < this.#slotsMade ? end : undefined;
  }

  /** Forgets and wipes everything. */
  clear(): void {
    for (let slot = 0; slot < this.#slotsMade; slot++)
      if (this.#chunkOf(slot).bytes[byteAt(slot) + STATE_AT] === READY) this.#drop(slot);
  }

  /** Whether `secret` is anywhere in the store's memory: tests ask it. */
  holds(secret: Buffer): boolean {
    return this.#chunks.some(({ bytes }) => Buffer.from(bytes.buffer).includes(secret));
  }

  /** Where the index has the wanted one, or -1. */
  #find(): number {
    return this.#index.find(this.#wanted[0] ?? 0, this.#isWanted);
  }

  readonly #isWanted = (slot: number): boolean => {
    const { words } = this.#chunkOf(slot);
    const at = byteAt(slot) / 4 + FINGERPRINT_AT;
    const wanted = this.#wanted;
    return words[at] === wanted[0] && words[at + 1] === wanted[1] && words[at + 2] === wanted[2];
  };

  /** `place`: where the index has it, if that is known. */
  #drop(slot: number, place = this.#placeOf(slot)): void {
    this.#index.removeAt(place);
    const { words } = this.#chunkOf(slot);
    const at = byteAt(slot) / 4;
    for (let i = 0; i < SLOT_BYTES / 4; i++) words[at + i] = 0;
    words[at] = this.#firstFree;
    this.#firstFree = slot + 1;
    this.#ready--;
  }

  #placeOf(slot: number): number {
    const tag = this.#chunkOf(slot).words[byteAt(slot) / 4 + FINGERPRINT_AT] ?? 0;
    return this.#index.find(tag, (other) => other === slot);
  }

  #freeSlot(): number {
    if (this.#firstFree === 0) {
      if (this.#slotsMade % SLOTS_IN_CHUNK === 0) this.#chunks.push(newChunk());
      return this.#slotsMade++;
    }
    const slot = this.#firstFree - 1;
    this.#firstFree = this.#chunkOf(slot).words[byteAt(slot) / 4] ?? 0;
    return slot;
  }

  #chunkOf(slot: number): Chunk {
    const chunk = this.#chunks[(slot / SLOTS_IN_CHUNK) | 0];
    if (!chunk) throw new RangeError(`there is no slot ${slot}`);
    return chunk;
  }
}

function byteAt(slot: number): number {
  return (slot % SLOTS_IN_CHUNK) * SLOT_BYTES;
}

function newChunk(): Chunk {
  const buffer = new ArrayBuffer(SLOTS_IN_CHUNK * SLOT_BYTES);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
}
