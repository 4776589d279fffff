import { bodyLength, type Post } from '../post-client.ts';
import {
  CODE,
  type ErrorCode,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_31_BITS,
  MAX_FRAME_BYTES,
  putFrameHeader,
} from './frame.ts';
import type { HpackEncoder } from './hpack-encoder.ts';
import type { OutputBuffer } from './output-buffer.ts';
import type { StreamSlots } from './stream-slots.ts';

/** Every peer takes frames of this size (RFC 9113 section 4.2); larger ones would gain nothing for small messages. */
const MAX_PIECE = MAX_FRAME_BYTES;
/** RFC 9113 section 6.9.2: of the connection, whatever the peer's settings say. */
const FIRST_CONNECTION_WINDOW = 65_535;

/** Writes requests: HEADERS, then as much of the body as the peer's windows take, and the rest as they grow. */
export class RequestSender {
  readonly #slots: StreamSlots;
  readonly #encoder: HpackEncoder;
  readonly #out: OutputBuffer;
  /** Streams with a body that is not sent to its end, in the order in which they got stuck. */
  readonly #stuck = new Set<number>();
  #connectionWindow = FIRST_CONNECTION_WINDOW;

  constructor(slots: StreamSlots, encoder: HpackEncoder, out: OutputBuffer) {
    this.#slots = slots;
    this.#encoder = encoder;
    this.#out = out;
  }

  /** Bytes of bodies that the peer takes over all streams. */
  get connectionWindow(): number {
    return this.#connectionWindow;
  }

  /** The whole request, but for the part of its body that has to wait. */
  send(slot: number, post: Post): void {
    const bytes = this.#encoder.begin(post.headers, post.path);
    const isEmpty = bodyLength(post) === 0;
    const flags = isEmpty ? FLAG.END_STREAM : FLAG.NONE;
    if (bytes <= MAX_PIECE) this.#headers(slot, post, bytes, flags);
    else this.#longHeaders(slot, post, bytes, flags);
    if (!isEmpty) this.#body(slot, post);
  }

  /** True when the body went out to its end. */
  isDone(slot: number): boolean {
    const post = this.#slots.posts[slot];
    return post === undefined || (this.#slots.sent[slot] ?? 0) >= bodyLength(post);
  }

  /** The stream is closed. */
  forget(slot: number): void {
    if (this.#stuck.size > 0) this.#stuck.delete(slot);
  }

  /** WINDOW_UPDATE of the connection. */
  growConnection(increment: number): ErrorCode {
    if (this.#connectionWindow + increment > MAX_31_BITS) return CODE.FLOW_CONTROL_ERROR;
    this.#connectionWindow += increment;
    this.#resume();
    return CODE.NO_ERROR;
  }

  /** WINDOW_UPDATE of a stream. */
  growStream(slot: number, increment: number): ErrorCode {
    const window = (this.#slots.windows[slot] ?? 0) + increment;
    if (window > MAX_31_BITS) return CODE.FLOW_CONTROL_ERROR;
    this.#slots.windows[slot] = window;
    if (this.#stuck.has(slot)) this.#resumeOne(slot);
    return CODE.NO_ERROR;
  }

  /** A new SETTINGS_INITIAL_WINDOW_SIZE changes the streams that are open, too (RFC 9113 section 6.9.2). */
  shiftStreams(difference: number): ErrorCode {
    for (const slot of this.#slots.openSlots()) {
      const window = (this.#slots.windows[slot] ?? 0) + difference;
      if (window > MAX_31_BITS) return CODE.FLOW_CONTROL_ERROR;
      this.#slots.windows[slot] = window;
    }
    this.#resume();
    return CODE.NO_ERROR;
  }

  #headers(slot: number, post: Post, most: number, flags: number): void {
    const out = this.#out;
    out.reserve(FRAME_HEADER_BYTES + most);
    const start = out.end;
    const begin = start + FRAME_HEADER_BYTES;
    const end = this.#encoder.write(out.bytes, begin, post.path, bodyLength(post));
    const id = this.#slots.idOf(slot);
    putFrameHeader(out.bytes, start, end - begin, FRAME.HEADERS, flags | FLAG.END_HEADERS, id);
    out.advanceTo(end);
  }

  /** A block that is longer than a frame goes on in CONTINUATIONs (RFC 9113 section 6.10). */
  #longHeaders(slot: number, post: Post, most: number, flags: number): void {
    const block = Buffer.allocUnsafe(most);
    const length = this.#encoder.write(block, 0, post.path, bodyLength(post));
    for (let at = 0; at < length; at += MAX_PIECE) {
      const end = Math.min(length, at + MAX_PIECE);
      const type = at === 0 ? FRAME.HEADERS : FRAME.CONTINUATION;
      const last = end === length ? FLAG.END_HEADERS : FLAG.NONE;
      this.#frame(type, last | (at === 0 ? flags : FLAG.NONE), slot, block.subarray(at, end));
    }
  }

  #frame(type: number, flags: number, slot: number, payload: Uint8Array): void {
    const out = this.#out;
    out.reserve(FRAME_HEADER_BYTES + payload.length);
    const id = this.#slots.idOf(slot);
    const at = putFrameHeader(out.bytes, out.end, payload.length, type, flags, id);
    out.bytes.set(payload, at);
    out.advanceTo(at + payload.length);
  }

  /** False when the windows did not take all of it. The tail goes in DATA frames of its own. */
  #body(slot: number, { body, tail }: Post): boolean {
    const { sent, windows } = this.#slots;
    const length = tail === undefined ? body.length : body.length + tail.length;
    let from = sent[slot] ?? 0;
    while (from < length) {
      const inTail = tail !== undefined && from >= body.length;
      const piece = inTail ? tail : body;
      const at = inTail ? from - body.length : from;
      const window = Math.min(windows[slot] ?? 0, this.#connectionWindow);
      const count = Math.min(piece.length - at, window, MAX_PIECE);
      if (count <= 0) {
        this.#stuck.add(slot);
        return false;
      }
      const flags = from + count === length ? FLAG.END_STREAM : FLAG.NONE;
      const isWhole = count === piece.length;
      this.#frame(FRAME.DATA, flags, slot, isWhole ? piece : piece.subarray(at, at + count));
      windows[slot] = (windows[slot] ?? 0) - count;
      this.#connectionWindow -= count;
      from += count;
      sent[slot] = from;
    }
    return true;
  }

  #resume(): void {
    for (const slot of this.#stuck) {
      if (this.#connectionWindow <= 0) return;
      this.#resumeOne(slot);
    }
  }

  #resumeOne(slot: number): void {
    const post = this.#slots.posts[slot];
    if (post === undefined || this.#body(slot, post)) this.#stuck.delete(slot);
  }
}
