import { errorFields } from '../../../../../shared/log/error-fields.ts';
import type { Logger } from '../../../../../shared/log/logger.ts';
import { RECORD_BYTES } from '../prepared/record-layout.ts';
import { nodeSealer } from './node-sealer.ts';
import { MAX_CLEAR_BYTES, type PushPayload, pushPayload } from './push-payload.ts';
import type { Sealer } from './sealer.ts';
import { createWasmSealer } from './wasm-sealer.ts';

/** Up to here WebAssembly takes less time than OpenSSL: docs/decisions/0010 has the figures. Bytes of clear text. */
const WASM_UP_TO_BYTES = 1_600;

// RFC 8291 appendix A.
const RFC_TEXT = 'When I grow up, I want to be a watermelon';
const RFC_KEY = 'oIhVW04MRdy2XN9CiKLxTg';
const RFC_NONCE = '4h_95klXJ5E_qnoN';
const RFC_BODY =
  'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';

export interface CreateSealerDeps {
  readonly log: Pick<Logger, 'warn'>;
  /** Another maker of the fast sealer, for tests. */
  readonly makeFast?: () => Sealer;
}

/**
 * The sealer to use: WebAssembly for short texts and OpenSSL for long ones. WebAssembly that cannot be loaded, or does
 * not give the known answers, is not used; that is one line in the log.
 */
export function createSealer({ log, makeFast = createWasmSealer }: CreateSealerDeps): Sealer {
  let fast: Sealer;
  try {
    fast = makeFast();
    checkKnownAnswers(fast);
  } catch (error) {
    log.warn(errorFields(error), 'WebAssembly is not used for sealing: slower, not less safe');
    return nodeSealer;
  }
  return {
    seal(record, payload, target, at) {
      const sealer = payload.clear.length <= WASM_UP_TO_BYTES ? fast : nodeSealer;
      sealer.seal(record, payload, target, at);
    },
  };
}

/** Throws when a sealer gives another answer than the RFC or OpenSSL. */
export function checkKnownAnswers(sealer: Sealer): void {
  const body = Buffer.from(RFC_BODY, 'base64url');
  const record = Buffer.concat([
    body.subarray(0, 86),
    Buffer.from(RFC_KEY, 'base64url'),
    Buffer.from(RFC_NONCE, 'base64url'),
  ]);
  if (!sealed(sealer, record, payloadOf(Buffer.from(RFC_TEXT))).equals(body))
    throw new Error('the example of RFC 8291 is sealed wrongly');
  for (const length of [0, 1, 14, 15, 16, 47, 48, 300, 1_000, 2_401, MAX_CLEAR_BYTES]) {
    const payload = payloadOf(pattern(length, length));
    const known = pattern(RECORD_BYTES, length + 1);
    if (!sealed(sealer, known, payload).equals(sealed(nodeSealer, known, payload)))
      throw new Error(`a text of ${length} bytes is sealed wrongly`);
  }
}

function sealed(sealer: Sealer, record: Buffer, payload: PushPayload): Buffer {
  const target = Buffer.alloc(payload.sealedBytes);
  sealer.seal(Buffer.from(record), payload, target, 0);
  return target;
}

function payloadOf(text: Uint8Array): PushPayload {
  const payload = pushPayload(text);
  if (!payload) throw new RangeError('known answers are for texts that fit');
  return payload;
}

/** Bytes without a visible order, always the same. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}
