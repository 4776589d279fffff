import type { PushPayload } from './push-payload.ts';

/** Seals texts under prepared records (RFC 8188 section 2, AES-128-GCM). */
export interface Sealer {
  /**
   * Writes header, cipher text and tag, `payload.sealedBytes` in all, into `target` from `at`, and wipes key and nonce
   * in `record`. A record is for one call only. `target` may not be where the record is.
   */
  seal(record: Uint8Array, payload: PushPayload, target: Uint8Array, at: number): void;
}

/** Throws RangeError before anything of the record has been used. */
export function checkRoom(payload: PushPayload, target: Uint8Array, at: number): void {
  if (at < 0 || at + payload.sealedBytes > target.length)
    throw new RangeError(`a sealed message of ${payload.sealedBytes} bytes does not fit`);
}
