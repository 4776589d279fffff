import { HEADER_BYTES, TAG_BYTES } from '../prepared/record-layout.ts';

/** RFC 8291 section 4: a push message is one record, at most 4,096 bytes in all. */
export const MAX_CLEAR_BYTES = 4096 - HEADER_BYTES - TAG_BYTES - 1;

/** RFC 8188 section 2: 2 marks the last record; no padding. */
const LAST_RECORD = 2;

/**
 * A text that goes to many devices, ready to be sealed. Make one per text and language and hand in the same object for
 * each device: what stands in the WebAssembly memory, and what a retry may send again, are known by it.
 */
export interface PushPayload {
  /** The text and its delimiter. A copy of its own that nobody changes. */
  readonly clear: Buffer;
  /** Length of every message that is sealed from it. */
  readonly sealedBytes: number;
  /** Memory of messages that were sealed from it and are done with, for the next ones. */
  readonly spare: Buffer[];
}

/** Undefined when the text is too large for a push message. */
export function pushPayload(text: Uint8Array): PushPayload | undefined {
  if (text.length > MAX_CLEAR_BYTES) return undefined;
  const clear = Buffer.alloc(text.length + 1);
  clear.set(text);
  clear[text.length] = LAST_RECORD;
  return { clear, sealedBytes: HEADER_BYTES + clear.length + TAG_BYTES, spare: [] };
}
