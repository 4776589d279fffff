import {
  ENTRY_OVERHEAD_BYTES,
  FIRST_DYNAMIC_INDEX,
  type HeaderField,
  STATIC_TABLE,
} from './hpack-static-table.ts';
import { decodeHuffman } from './huffman.ts';

/** RFC 7541 section 6: the first bits of a representation. */
const INDEXED = 0x80;
const WITH_INDEXING = 0x40;
const SIZE_UPDATE = 0x20;

const NOT_READ = '';
/** Texts of so few bytes are kept once read, so many of them: to make a string of a status costs more than to read it. */
const SHORT_BYTES = 3;
const MAX_SHORT_TEXTS = 256;
/** Beyond this no integer of a header block makes sense; it keeps the arithmetic in 32 bits. */
const MAX_INTEGER = 1 << 24;

export interface FieldTaker {
  /** False: the rest need not be read out. */
  onField(name: string, value: string): boolean;
}

/** Reads header blocks of one connection (RFC 7541), in their order: they share a table. */
export class HpackDecoder {
  /** Newest first. With the 4096 bytes of the default there are 128 entries at the most. */
  readonly #table: (HeaderField & { readonly bytes: number })[] = [];
  #tableBytes = 0;
  readonly #shortTexts = new Map<number, string>();
  /** What we allow, and what the peer has chosen within it. */
  #allowed: number;
  #limit: number;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #failed = false;

  constructor(tableSize = 4096) {
    this.#allowed = tableSize;
    this.#limit = tableSize;
  }

  /** Our SETTINGS_HEADER_TABLE_SIZE, from when the peer has acknowledged it. */
  allow(tableSize: number): void {
    this.#allowed = tableSize;
    this.#setLimit(Math.min(this.#limit, tableSize));
  }

  /** False for a block that is none: the connection's tables may differ from now on, it must end. */
  decode(bytes: Buffer, start: number, end: number, taker: FieldTaker): boolean {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#failed = false;
    let wanted = true;
    let first = true;
    while (this.#at < this.#end) {
      const byte = bytes[this.#at] ?? 0;
      if ((byte & 0xe0) === SIZE_UPDATE) {
        // Section 4.2: only at the beginning.
        if (!first) return false;
        this.#updateSize();
      } else {
        first = false;
        const goOn: boolean =
          (byte & INDEXED) !== 0 ? this.#indexed(wanted, taker) : this.#literal(wanted, taker);
        wanted = wanted && goOn;
      }
      if (this.#failed) return false;
    }
    return true;
  }

  #updateSize(): void {
    const size = this.#integer(5);
    if (size > this.#allowed) this.#failed = true;
    else this.#setLimit(size);
  }

  #indexed(wanted: boolean, taker: FieldTaker): boolean {
    const field = this.#entry(this.#integer(7));
    if (field === undefined) {
      this.#failed = true;
      return false;
    }
    return wanted && taker.onField(field.name, field.value);
  }

  #literal(wanted: boolean, taker: FieldTaker): boolean {
    const indexing = ((this.#bytes[this.#at] ?? 0) & WITH_INDEXING) !== 0;
    const nameIndex = this.#integer(indexing ? 6 : 4);
    // What nobody wants and no later block can refer to is passed over by its length alone.
    const read = wanted || (indexing && this.#limit > 0);
    const name = nameIndex === 0 ? this.#string(read) : this.#entry(nameIndex)?.name;
    const value = this.#string(read);
    if (name === undefined) this.#failed = true;
    if (this.#failed || name === undefined) return false;
    if (indexing) this.#insert(name, value);
    return wanted && taker.onField(name, value);
  }

  #entry(index: number): HeaderField | undefined {
    return index < FIRST_DYNAMIC_INDEX
      ? STATIC_TABLE[index - 1]
      : this.#table[index - FIRST_DYNAMIC_INDEX];
  }

  #insert(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    // Section 4.4: an entry larger than the table empties it and is not an error.
    this.#evictTo(this.#limit - bytes);
    if (bytes > this.#limit) return;
    this.#table.unshift({ name, value, bytes });
    this.#tableBytes += bytes;
  }

  #setLimit(limit: number): void {
    this.#limit = limit;
    this.#evictTo(limit);
  }

  #evictTo(bytes: number): void {
    while (this.#tableBytes > bytes && this.#table.length > 0)
      this.#tableBytes -= this.#table.pop()?.bytes ?? 0;
  }

  /** Section 5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (this.#bytes[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; this.#at < this.#end && shift <= 21; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value > MAX_INTEGER) break;
        return value;
      }
    }
    this.#failed = true;
    return 0;
  }

  /** Section 5.2. */
  #string(read: boolean): string {
    if (this.#failed || this.#at >= this.#end) {
      this.#failed = true;
      return NOT_READ;
    }
    const huffman = (this.#bytes[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    this.#at = start + length;
    if (this.#failed || this.#at > this.#end) {
      this.#failed = true;
      return NOT_READ;
    }
    if (!read) return NOT_READ;
    return length <= SHORT_BYTES ? this.#shortText(huffman, start) : this.#text(huffman, start);
  }

  #shortText(huffman: boolean, start: number): string {
    let key = huffman ? 2 : 1;
    for (let at = start; at < this.#at; at++) key = (key << 8) | (this.#bytes[at] ?? 0);
    const known = this.#shortTexts.get(key);
    if (known !== undefined) return known;
    const text = this.#text(huffman, start);
    if (!this.#failed && this.#shortTexts.size < MAX_SHORT_TEXTS) this.#shortTexts.set(key, text);
    return text;
  }

  #text(huffman: boolean, start: number): string {
    if (!huffman) return this.#bytes.toString('latin1', start, this.#at);
    const text = decodeHuffman(this.#bytes, start, this.#at);
    if (text === undefined) this.#failed = true;
    return text ?? NOT_READ;
  }
}
