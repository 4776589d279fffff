import type { Socket } from 'node:net';

const BLOCK = 1 << 16;

/** Gathers what is written to a socket within one turn of the event loop, so that it is one TLS record, not hundreds. */
export class OutBuffer {
  readonly #socket: Socket;
  #block = Buffer.allocUnsafe(BLOCK);
  #used = 0;
  #isScheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Copies the bytes; returns where in `block` they begin, for what has to be changed in them. */
  append(bytes: Buffer): { block: Buffer; at: number } {
    if (this.#used + bytes.length > BLOCK) this.flush();
    const at = this.#used;
    bytes.copy(this.#block, at);
    this.#used += bytes.length;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.flush();
      });
    }
    return { block: this.#block, at };
  }

  flush(): void {
    if (this.#used === 0) return;
    const written = this.#block.subarray(0, this.#used);
    this.#block = Buffer.allocUnsafe(BLOCK);
    this.#used = 0;
    if (!this.#socket.destroyed) this.#socket.write(written);
  }
}
