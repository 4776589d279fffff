import { BoundedBody, type Exchange } from '../exchange.ts';
import { AnswerHead, isSuccess } from './answer-head.ts';
import { CODE, type ErrorCode, FLAG, FRAME, MAX_FRAME_BYTES, wordFrame } from './frame.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import type { OutputBuffer } from './output-buffer.ts';
import type { StreamSlots } from './stream-slots.ts';

/** Flow-control window of each stream. An answer is read up to 64 KiB, so it never has to be grown. */
export const STREAM_WINDOW = 131_072;
/** Of the connection: grown again when half of it is used. */
export const CONNECTION_WINDOW = 1 << 24;
/** Of an answer whose body nobody reads we take no more than of the others. */
const MAX_DROPPED_BYTES = 65_536;
/** With padding, DATA frames may be large and hold little: stop before the stream's window is used up. */
const MAX_RECEIVED_BYTES = STREAM_WINDOW - 2 * MAX_FRAME_BYTES;
/** The most of a header block over all its frames, and into how many of them it may be cut: more is an attack. */
const MAX_BLOCK_BYTES = 65_536;
const MAX_BLOCK_FRAMES = 32;
/**
 * Our SETTINGS_HEADER_TABLE_SIZE. Without a table each block stands alone, and of an answer that says "taken" nothing
 * but the status has to be read.
 */
export const HEADER_TABLE_SIZE = 0;

export interface AnswerEvents {
  /** All of the answer that is wanted is there. `endedByPeer`: the peer has nothing more to send on this stream. */
  readonly onAnswer: (slot: number, exchange: Exchange, endedByPeer: boolean) => void;
  /** RFC 9113 section 8.1.1. */
  readonly onMalformed: (slot: number) => void;
}

/** Makes answers out of HEADERS, CONTINUATION and DATA frames. */
export class AnswerReader {
  readonly #slots: StreamSlots;
  readonly #out: OutputBuffer;
  readonly #events: AnswerEvents;
  readonly #decoder = new HpackDecoder();
  readonly #head = new AnswerHead();
  /** A header block that goes on in the next frame. */
  #block: { streamId: number; endStream: boolean; bytes: number; parts: Buffer[] } | undefined;
  #connectionWindow = CONNECTION_WINDOW;

  constructor(slots: StreamSlots, out: OutputBuffer, events: AnswerEvents) {
    this.#slots = slots;
    this.#out = out;
    this.#events = events;
  }

  /** The stream on which nothing but a CONTINUATION may come now; 0: none. */
  get awaitsContinuation(): number {
    return this.#block?.streamId ?? 0;
  }

  /** The peer has taken over our settings. */
  onSettingsAck(): void {
    this.#decoder.allow(HEADER_TABLE_SIZE);
  }

  onHeaders(flags: number, streamId: number, bytes: Buffer, from: number, to: number): ErrorCode {
    let start = from;
    let end = to;
    if ((flags & FLAG.PADDED) !== 0) {
      end -= bytes[start] ?? 0;
      start++;
    }
    if ((flags & FLAG.PRIORITY) !== 0) start += 5;
    if (start > end) return CODE.PROTOCOL_ERROR;
    const endStream = (flags & FLAG.END_STREAM) !== 0;
    if ((flags & FLAG.END_HEADERS) !== 0)
      return this.#onBlock(streamId, endStream, bytes, start, end);
    const part = Buffer.from(bytes.subarray(start, end));
    this.#block = { streamId, endStream, bytes: part.length, parts: [part] };
    return CODE.NO_ERROR;
  }

  onContinuation(flags: number, bytes: Buffer, start: number, end: number): ErrorCode {
    const block = this.#block;
    if (block === undefined) return CODE.PROTOCOL_ERROR;
    block.parts.push(Buffer.from(bytes.subarray(start, end)));
    block.bytes += end - start;
    if (block.bytes > MAX_BLOCK_BYTES || block.parts.length > MAX_BLOCK_FRAMES)
      return CODE.ENHANCE_YOUR_CALM;
    if ((flags & FLAG.END_HEADERS) === 0) return CODE.NO_ERROR;
    this.#block = undefined;
    const whole = Buffer.concat(block.parts, block.bytes);
    return this.#onBlock(block.streamId, block.endStream, whole, 0, whole.length);
  }

  onData(flags: number, streamId: number, bytes: Buffer, from: number, to: number): ErrorCode {
    // Padding counts, and so does what comes for a stream that we gave up (RFC 9113 section 6.9).
    const received = to - from;
    this.#connectionWindow -= received;
    if (this.#connectionWindow < CONNECTION_WINDOW / 2) this.#growConnection();
    let start = from;
    let end = to;
    if ((flags & FLAG.PADDED) !== 0) {
      end -= bytes[start] ?? 0;
      start++;
    }
    if (start > end) return CODE.PROTOCOL_ERROR;
    const slot = this.#slots.find(streamId);
    if (slot < 0) return CODE.NO_ERROR;
    if (this.#slots.statuses[slot] === 0) this.#events.onMalformed(slot);
    else {
      const goOn = this.#takeBody(slot, received, bytes, start, end);
      const endStream = (flags & FLAG.END_STREAM) !== 0;
      if (endStream || !goOn) this.#events.onAnswer(slot, this.#exchange(slot), endStream);
    }
    return CODE.NO_ERROR;
  }

  /** What is known about an answer that will not go on: its status counts, even if its body was cut off. */
  cutAnswer(slot: number): Exchange | undefined {
    return this.#slots.statuses[slot] === 0 ? undefined : this.#exchange(slot);
  }

  #growConnection(): void {
    const used = CONNECTION_WINDOW - this.#connectionWindow;
    this.#out.put(wordFrame(FRAME.WINDOW_UPDATE, 0, used));
    this.#connectionWindow = CONNECTION_WINDOW;
  }

  #onBlock(
    streamId: number,
    endStream: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): ErrorCode {
    const head = this.#head;
    head.reset();
    // Also for a stream that is closed: the table is the connection's.
    if (!this.#decoder.decode(bytes, start, end, head)) return CODE.COMPRESSION_ERROR;
    const slot = this.#slots.find(streamId);
    if (slot < 0) return CODE.NO_ERROR;
    if (isMalformed(head, this.#slots.statuses[slot] !== 0, endStream))
      this.#events.onMalformed(slot);
    else if (head.status === 0 || head.status >= 200) this.#onFinalHead(slot, endStream);
    return CODE.NO_ERROR;
  }

  /** The final answer's head, or its trailers, which say nothing that we need. */
  #onFinalHead(slot: number, endStream: boolean): void {
    const { status, retryAfter } = this.#head;
    if (status !== 0) {
      this.#slots.statuses[slot] = status;
      this.#slots.retryAfters[slot] = retryAfter;
    }
    if (endStream) this.#events.onAnswer(slot, this.#exchange(slot), true);
  }

  /** False when no more of it is wanted. */
  #takeBody(slot: number, received: number, bytes: Buffer, start: number, end: number): boolean {
    const { statuses, bodies } = this.#slots;
    const total = (this.#slots.received[slot] ?? 0) + received;
    this.#slots.received[slot] = total;
    if (isSuccess(statuses[slot] ?? 0)) return total < MAX_DROPPED_BYTES;
    if (start === end) return total < MAX_RECEIVED_BYTES;
    const body = bodies[slot] ?? new BoundedBody();
    bodies[slot] = body;
    // Copied: the bytes are only lent.
    return body.add(Buffer.from(bytes.subarray(start, end))) && total < MAX_RECEIVED_BYTES;
  }

  #exchange(slot: number): Exchange {
    const status = this.#slots.statuses[slot] ?? 0;
    const retryAfter = this.#slots.retryAfters[slot];
    const body = this.#slots.bodies[slot]?.text() ?? '';
    if (retryAfter === undefined && body === '') return plainAnswer(status);
    return { kind: 'answer', status, retryAfter, body };
  }
}

/** RFC 9113 section 8.1: interim answers, one final answer, perhaps trailers, which end the stream. */
function isMalformed(head: AnswerHead, hasStatus: boolean, endStream: boolean): boolean {
  if (head.isMalformed) return true;
  if (hasStatus) return head.status !== 0 || !endStream;
  if (head.status === 0) return true;
  // Section 8.6: there is no 101 in HTTP/2.
  return head.status < 200 && (endStream || head.status === 101);
}

const PLAIN_ANSWERS = new Map<number, Exchange>();

/** One object for all answers of this status that carry nothing else. */
function plainAnswer(status: number): Exchange {
  const known = PLAIN_ANSWERS.get(status);
  if (known !== undefined) return known;
  const answer: Exchange = { kind: 'answer', status, retryAfter: undefined, body: '' };
  PLAIN_ANSWERS.set(status, answer);
  return answer;
}
