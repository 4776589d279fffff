import { CODE, type ErrorCode, FRAME_HEADER_BYTES, MAX_FRAME_BYTES, read31Bits } from './frame.ts';

/** Takes whole frames. The payload is `bytes` from `start` to `end` and only lent: what is kept must be copied. */
export interface FrameTaker {
  /** Other than 0 when the connection can't go on: nothing more is read. */
  onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ErrorCode;
}

/**
 * Finds the frames in a stream of chunks. Those that lie whole in a chunk are handed on where they lie; at most one
 * frame that is cut by the chunk's end is kept.
 */
export class FrameReader {
  readonly #taker: FrameTaker;
  #stash: Buffer | undefined;
  #stashed = 0;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  /** Reads all that is there; stops at the first error, which is returned. */
  read(chunk: Buffer): ErrorCode {
    let at = 0;
    if (this.#stashed > 0) {
      at = this.#completeStash(chunk);
      if (at < 0) return -at;
    }
    while (chunk.length - at >= FRAME_HEADER_BYTES) {
      const length = payloadLength(chunk, at);
      if (length > MAX_FRAME_BYTES) return CODE.FRAME_SIZE_ERROR;
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > chunk.length) break;
      const error = this.#handOn(chunk, at, end);
      if (error !== CODE.NO_ERROR) return error;
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length);
    return CODE.NO_ERROR;
  }

  /** Where in the chunk the frame that was cut ends, all of the chunk if not yet; an error as a negative number. */
  #completeStash(chunk: Buffer): number {
    let at = 0;
    if (this.#stashed < FRAME_HEADER_BYTES) {
      at = Math.min(chunk.length, FRAME_HEADER_BYTES - this.#stashed);
      this.#keep(chunk, 0, at);
    }
    const stash = this.#stash;
    if (stash === undefined || this.#stashed < FRAME_HEADER_BYTES) return at;
    const length = payloadLength(stash, 0);
    if (length > MAX_FRAME_BYTES) return -CODE.FRAME_SIZE_ERROR;
    const whole = FRAME_HEADER_BYTES + length;
    const end = Math.min(chunk.length, at + whole - this.#stashed);
    this.#keep(chunk, at, end);
    if (this.#stashed < whole) return end;
    this.#stashed = 0;
    const error = this.#handOn(stash, 0, whole);
    return error === CODE.NO_ERROR ? end : -error;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    this.#stash ??= Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + MAX_FRAME_BYTES);
    chunk.copy(this.#stash, this.#stashed, start, end);
    this.#stashed += end - start;
  }

  #handOn(bytes: Buffer, at: number, end: number): ErrorCode {
    const type = bytes[at + 3] ?? 0;
    const flags = bytes[at + 4] ?? 0;
    const streamId = read31Bits(bytes, at + 5);
    return this.#taker.onFrame(type, flags, streamId, bytes, at + FRAME_HEADER_BYTES, end);
  }
}

function payloadLength(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}
