import type { PushPayload } from '../seal/push-payload.ts';
import type { WebPushKeys } from './fingerprint.ts';

interface Kept {
  readonly payload: PushPayload;
  readonly auth: string;
  readonly body: Buffer;
}

/** What a body costs besides its own bytes: map entry, object, buffer. */
const OVERHEAD_BYTES = 300;

/**
 * Sealed messages that were not accepted and will be tried again: the retry sends the same bytes, so a storm of refusals
 * uses up no records. Bounded; when the oldest have to go, their retries are encrypted anew, which RFC 8291 allows.
 */
export class KeptBodies {
  readonly #maxBytes: number;
  readonly #bodies = new Map<string, Kept>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#bodies.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `body` must not be changed any more. A subscription has one at most: the newest. */
  keep(payload: PushPayload, keys: WebPushKeys, body: Buffer): void {
    this.#remove(keys.p256dh);
    this.#bodies.set(keys.p256dh, { payload, auth: keys.auth, body });
    this.#bytes += body.length + OVERHEAD_BYTES;
    for (const oldest of this.#bodies.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#remove(oldest);
    }
  }

  /** What was kept of this very payload for these very keys; it is then forgotten. */
  take(payload: PushPayload, keys: WebPushKeys): Buffer | undefined {
    const kept = this.#bodies.get(keys.p256dh);
    if (kept?.payload !== payload || kept.auth !== keys.auth) return undefined;
    this.#remove(keys.p256dh);
    return kept.body;
  }

  #remove(p256dh: string): void {
    const kept = this.#bodies.get(p256dh);
    if (kept === undefined) return;
    this.#bodies.delete(p256dh);
    this.#bytes -= kept.body.length + OVERHEAD_BYTES;
  }
}
