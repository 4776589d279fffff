import { HEADER_BYTES, RECORD_BYTES, wipeSecrets } from '../prepared/record-layout.ts';
import { AES_GCM_MODULE } from './aes-gcm-module.ts';
import type { PushPayload } from './push-payload.ts';
import { checkRoom, type Sealer } from './sealer.ts';

/** What aes-gcm.as exports. */
interface AesGcm {
  readonly memory: { readonly buffer: ArrayBuffer };
  clearAt(): number;
  messageAt(): number;
  /** `length` of the text with its delimiter. */
  seal(length: number): void;
}

/** The part of the API that is used here: TypeScript knows it only together with a browser's. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

/**
 * Seals in WebAssembly: no object and no call into native code for each message, so short ones cost a fraction of what
 * they cost with OpenSSL. Throws where the module cannot be compiled (no SIMD).
 */
export function createWasmSealer(
  module: Uint8Array = Buffer.from(AES_GCM_MODULE, 'base64'),
): Sealer {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(module)));
  const aesGcm = instance.exports as AesGcm;
  const memory = new Uint8Array(aesGcm.memory.buffer);
  const clearAt = aesGcm.clearAt();
  const messageAt = aesGcm.messageAt();
  // One view for each length in use: making one costs as much as copying through it.
  let message = memory.subarray(messageAt, messageAt + RECORD_BYTES);
  const recordPlace = message;
  let loaded: PushPayload | undefined;
  return {
    seal(record, payload, target, at) {
      checkRoom(payload, target, at);
      if (loaded !== payload) {
        memory.set(payload.clear, clearAt);
        message = memory.subarray(messageAt, messageAt + payload.sealedBytes);
        loaded = payload;
      }
      recordPlace.set(record);
      wipeSecrets(record);
      aesGcm.seal(payload.clear.length);
      target.set(message, at);
      // Of a text of fewer bytes than the keys take, some of the nonce is still there.
      if (payload.sealedBytes < RECORD_BYTES) recordPlace.fill(0, HEADER_BYTES);
    },
  };
}
