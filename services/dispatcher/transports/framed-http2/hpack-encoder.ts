import type { SharedHeaders } from '../post-client.ts';
import {
  ENTRY_OVERHEAD_BYTES,
  FIRST_DYNAMIC_INDEX,
  staticNameIndex,
} from './hpack-static-table.ts';

const METHOD_POST = 0x83;
const SCHEME_HTTPS = 0x87;
/** Literal without indexing, name `:path` (static index 4). */
const PATH_LITERAL = 0x04;
/** Literal without indexing, name `content-length` (static index 28, on a prefix of four bits). */
const CONTENT_LENGTH_LITERAL = [0x0f, 28 - 15] as const;

/** We use no more of the peer's table, whatever it offers: RFC 7541's default, room for a dozen tokens. */
const MAX_TABLE_BYTES = 4096;
/** Sets of shared headers whose blocks are kept. */
const MAX_BLOCKS = 64;
/** After something was put out of the table for another, so many blocks go without that: no two sets chase each other. */
const BLOCKS_BETWEEN_EVICTIONS = 500;

/** What comes before and after `:path` in a block. */
interface Block {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  /** It is good while so many entries have ever been inserted: each insertion moves the indices. */
  readonly insertions: number;
  /** Something is spelled out because the table was full: to be tried again. */
  readonly crowded: boolean;
}

/**
 * Writes the header blocks of one connection's POSTs (RFC 7541). What many requests share is put into the peer's table
 * once and is one byte each from then on; only the path and the length are spelled out every time. Every block that is
 * begun must be sent, in order: the peer's table follows it.
 *
 * `authorization` is indexed like the rest, though section 7.1.3 thinks of never-indexed literals for secrets. That
 * guards against someone who can add guesses to the same connection and see lengths. Here nobody but this process puts
 * requests on the connection, all with its own token, and the connection ends at the provider that the token is for.
 */
export class HpackEncoder {
  readonly #authority: string;
  readonly #blocks = new Map<SharedHeaders, Block>();
  /** `name NUL value` → how many entries were inserted before it. In the order of insertion. */
  readonly #table = new Map<string, number>();
  #tableBytes = 0;
  #limit = MAX_TABLE_BYTES;
  #insertions = 0;
  #blocksSinceEviction = BLOCKS_BETWEEN_EVICTIONS;
  /** Size updates that the next block has to begin with, smallest first. */
  #updates: number[] = [];
  #lastHeaders: SharedHeaders | undefined;
  #lastBlock: Block | undefined;
  #block: Block = {
    head: new Uint8Array(),
    tail: new Uint8Array(),
    insertions: -1,
    crowded: false,
  };
  #crowded = false;

  constructor(authority: string) {
    this.#authority = authority;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. Section 4.2: we say so at the next block, the smallest size in between too. */
  setPeerLimit(bytes: number): void {
    const limit = Math.min(bytes, MAX_TABLE_BYTES);
    if (limit === this.#limit && this.#updates.length === 0) return;
    const smallest = Math.min(limit, this.#updates[0] ?? this.#limit);
    this.#updates = smallest === limit ? [limit] : [smallest, limit];
    this.#limit = limit;
    this.#evictTo(smallest);
    // Its blocks may hold indices that are gone, even where nothing was inserted since.
    this.#blocks.clear();
    this.#lastHeaders = undefined;
  }

  /** Begins a block; returns the most bytes that `write` will need for it. */
  begin(headers: SharedHeaders, path: string): number {
    this.#blocksSinceEviction++;
    const last = headers === this.#lastHeaders ? this.#lastBlock : this.#blocks.get(headers);
    this.#block = this.#isGood(last) ? last : this.#build(headers);
    // 5 bytes for the path's length, 11 for a content-length of at most eight digits.
    return this.#block.head.length + this.#block.tail.length + path.length + 17;
  }

  /** Writes the block that was begun; returns where it ends. */
  write(into: Buffer, start: number, path: string, contentLength: number): number {
    const { head, tail } = this.#block;
    let at = putBytes(into, start, head);
    into[at++] = PATH_LITERAL;
    at = putInteger(into, at, 0, 7, path.length);
    at += into.write(path, at, path.length, 'latin1');
    at = putBytes(into, at, tail);
    into[at++] = CONTENT_LENGTH_LITERAL[0];
    into[at++] = CONTENT_LENGTH_LITERAL[1];
    return putDigits(into, at, contentLength);
  }

  #isGood(block: Block | undefined): block is Block {
    if (block === undefined || block.insertions !== this.#insertions) return false;
    return !block.crowded || this.#blocksSinceEviction < BLOCKS_BETWEEN_EVICTIONS;
  }

  /** A block that inserts is good only once; the next one finds all in the table. */
  #build(headers: SharedHeaders): Block {
    const before = this.#insertions;
    const isFinal = this.#updates.length === 0;
    this.#crowded = false;
    const head: number[] = [];
    for (const size of this.#updates) pushInteger(head, 0x20, 5, size);
    this.#updates = [];
    head.push(METHOD_POST, SCHEME_HTTPS);
    this.#field(head, ':authority', this.#authority);
    const tail: number[] = [];
    for (const [name, value] of Object.entries(headers)) this.#field(tail, name, value);
    const isStable = isFinal && before === this.#insertions;
    const block = {
      head: Uint8Array.from(head),
      tail: Uint8Array.from(tail),
      insertions: isStable ? before : -1,
      crowded: this.#crowded,
    };
    if (isStable) this.#keep(headers, block);
    return block;
  }

  #keep(headers: SharedHeaders, block: Block): void {
    this.#blocks.delete(headers);
    this.#blocks.set(headers, block);
    this.#lastHeaders = headers;
    this.#lastBlock = block;
    if (this.#blocks.size <= MAX_BLOCKS) return;
    for (const oldest of this.#blocks.keys()) {
      this.#blocks.delete(oldest);
      return;
    }
  }

  #field(out: number[], name: string, value: string): void {
    const key = `${name}\0${value}`;
    const place = this.#table.get(key);
    if (place !== undefined) {
      pushInteger(out, 0x80, 7, FIRST_DYNAMIC_INDEX + this.#insertions - 1 - place);
      return;
    }
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    const indexing = this.#mayInsert(bytes);
    pushInteger(out, indexing ? 0x40 : 0, indexing ? 6 : 4, staticNameIndex(name));
    if (staticNameIndex(name) === 0) pushString(out, name);
    pushString(out, value);
    if (indexing) this.#insert(key, bytes);
  }

  #mayInsert(bytes: number): boolean {
    if (bytes > this.#limit) return false;
    if (this.#tableBytes + bytes <= this.#limit) return true;
    this.#crowded = this.#blocksSinceEviction < BLOCKS_BETWEEN_EVICTIONS;
    return !this.#crowded;
  }

  #insert(key: string, bytes: number): void {
    if (this.#tableBytes + bytes > this.#limit) this.#evictTo(this.#limit - bytes);
    this.#table.set(key, this.#insertions++);
    this.#tableBytes += bytes;
  }

  #evictTo(bytes: number): void {
    for (const key of this.#table.keys()) {
      if (this.#tableBytes <= bytes) return;
      this.#table.delete(key);
      this.#tableBytes -= key.length - 1 + ENTRY_OVERHEAD_BYTES;
      this.#blocksSinceEviction = 0;
    }
  }
}

function putBytes(into: Buffer, at: number, bytes: Uint8Array): number {
  // A few bytes, mostly: a loop is quicker than a call.
  for (let i = 0; i < bytes.length; i++) into[at + i] = bytes[i] ?? 0;
  return at + bytes.length;
}

/** RFC 7541 section 5.1. */
function putInteger(into: Buffer, start: number, first: number, bits: number, value: number) {
  let at = start;
  const mask = (1 << bits) - 1;
  if (value < mask) {
    into[at++] = first | value;
    return at;
  }
  into[at++] = first | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) into[at++] = (rest & 0x7f) | 0x80;
  into[at++] = rest;
  return at;
}

function putDigits(into: Buffer, start: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  into[start] = digits;
  let rest = value;
  for (let at = start + digits; at > start; at--) {
    into[at] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return start + 1 + digits;
}

function pushInteger(out: number[], first: number, bits: number, value: number): void {
  const scratch = Buffer.allocUnsafe(8);
  out.push(...scratch.subarray(0, putInteger(scratch, 0, first, bits, value)));
}

function pushString(out: number[], text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  pushInteger(out, 0, 7, bytes.length);
  for (const byte of bytes) out.push(byte);
}
