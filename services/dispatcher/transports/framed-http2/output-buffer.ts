/** Four TLS records: more in one write saves nothing. */
const BUFFER_BYTES = 65_536;

export interface OutputTarget {
  /** Gets pieces of a buffer that stay as they are until `isIdle`. */
  readonly write: (bytes: Buffer) => void;
  /** All that was written has left: its memory may be used again. */
  readonly isIdle: () => boolean;
  /** There is something to flush where there was nothing. */
  readonly onPending: () => void;
}

/** Gathers what goes out in one turn into one write. */
export class OutputBuffer {
  readonly #target: OutputTarget;
  #bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #start = 0;
  #end = 0;

  constructor(target: OutputTarget) {
    this.#target = target;
  }

  /** The buffer to write to from `end` on; see `reserve`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get end(): number {
    return this.#end;
  }

  /** Makes room for so many bytes (64 KiB at the most) at `end` of `bytes`. */
  reserve(count: number): void {
    if (this.#end > 0 && this.#end === this.#start && this.#target.isIdle()) {
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#end + count <= BUFFER_BYTES) return;
    this.flush();
    this.#bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    this.#start = 0;
    this.#end = 0;
  }

  /** What was reserved has been written up to here. */
  advanceTo(end: number): void {
    if (this.#end === this.#start && end > this.#end) this.#target.onPending();
    this.#end = end;
  }

  put(frame: Uint8Array): void {
    this.reserve(frame.length);
    this.#bytes.set(frame, this.#end);
    this.advanceTo(this.#end + frame.length);
  }

  flush(): void {
    if (this.#end === this.#start) return;
    const piece = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#target.write(piece);
  }
}
