import type { OutgoingMessage } from '../transport.ts';

/** What is kept for tries to come, in bodies; an alert's is at most 4 KB, usually a tenth of it. */
const MAX_KEPT = 20_000;

/**
 * Sealed bodies of messages that have to be tried again: a retry sends the same bytes, so that a content key is used for
 * one payload and once. Bounded: what does not fit is sealed anew, with other keys.
 */
export class SealedBodies {
  readonly #byMessage = new Map<OutgoingMessage, Map<string, Uint8Array>>();
  readonly #max: number;
  #size = 0;

  constructor(max = MAX_KEPT) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes out what is kept for a message to an endpoint. */
  take(message: OutgoingMessage, endpoint: string): Uint8Array | undefined {
    if (this.#size === 0) return undefined;
    const bodies = this.#byMessage.get(message);
    const body = bodies?.get(endpoint);
    if (bodies === undefined || body === undefined) return undefined;
    bodies.delete(endpoint);
    this.#size--;
    if (bodies.size === 0) this.#byMessage.delete(message);
    return body;
  }

  keep(message: OutgoingMessage, endpoint: string, body: Uint8Array, nowMs: number): void {
    if (this.#size >= this.#max) this.forgetOver(nowMs);
    if (this.#size >= this.#max) return;
    let bodies = this.#byMessage.get(message);
    if (bodies === undefined) {
      bodies = new Map();
      this.#byMessage.set(message, bodies);
    }
    if (!bodies.has(endpoint)) this.#size++;
    bodies.set(endpoint, body);
  }

  /** Alerts end with devices still waiting for another try; nobody says so here. */
  forgetOver(nowMs: number): void {
    for (const [message, bodies] of this.#byMessage) {
      if (message.expiresAtMs > nowMs) continue;
      this.#size -= bodies.size;
      this.#byMessage.delete(message);
    }
  }
}
