import { encodeVarint } from './protobuf-writer.ts';

/** The peer does not speak the Mobile Connection Server's protocol, or says more than it may. */
export class McsError extends Error {
  override readonly name = 'McsError';
}

/** Version that both sides name in their first byte (Chromium, google_apis/gcm/engine/connection_handler_impl.cc). */
export const MCS_VERSION = 41;
/** Chromium still takes a server of this version. */
const OLD_SERVER_VERSION = 38;

/** One message of the stream, not read yet. */
export interface McsFrame {
  readonly tag: number;
  readonly body: Buffer;
}

/** A data message is 4 KB and what is said about it; the longest is a login with the ids of what was received. */
export const MAX_FRAME_BYTES = 64 * 1024;
/** A length of up to 2^32 − 1, seven bits a byte. */
const MAX_LENGTH_BYTES = 5;

/** The bytes of one message: tag, length, body. */
export function encodeFrame({ tag, body }: McsFrame): Buffer {
  return Buffer.concat([Buffer.from([tag]), encodeVarint(body.length), body]);
}

export interface FrameReader {
  /** The messages that these bytes complete. Throws McsError; the connection is of no use from then on. */
  readonly push: (chunk: Buffer) => McsFrame[];
}

/**
 * Cuts one direction of an MCS connection into messages, however its bytes arrive: one byte of version, then tag, length
 * and body of each. Holds one message at most, and of at most MAX_FRAME_BYTES.
 */
export function createFrameReader(): FrameReader {
  let chunks: Buffer[] = [];
  let held = 0;
  /** Bytes without which nothing new can be said: joins of what is held stay few, even for bytes that come one by one. */
  let wanted = 1;
  let hasVersion = false;
  return {
    push: (chunk) => {
      chunks.push(chunk);
      held += chunk.length;
      if (held < wanted) return [];
      let bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks);
      if (!hasVersion) {
        checkVersion(bytes[0]);
        hasVersion = true;
        bytes = bytes.subarray(1);
      }
      const frames: McsFrame[] = [];
      let next = readFrame(bytes);
      while ('frame' in next) {
        frames.push(next.frame);
        bytes = bytes.subarray(next.length);
        next = readFrame(bytes);
      }
      wanted = next.wanted;
      held = bytes.length;
      // A copy: what is left must not keep all of a large chunk in memory.
      chunks = held === 0 ? [] : [Buffer.from(bytes)];
      return frames;
    },
  };
}

function checkVersion(version: number | undefined): void {
  if (version === undefined || (version < MCS_VERSION && version !== OLD_SERVER_VERSION))
    throw new McsError(`version ${version} of the protocol is not known`);
}

function readFrame(bytes: Buffer): { frame: McsFrame; length: number } | { wanted: number } {
  const tag = bytes[0];
  if (tag === undefined) return { wanted: 2 };
  let size = 0;
  for (let i = 0; i < MAX_LENGTH_BYTES; i++) {
    const byte = bytes[1 + i];
    if (byte === undefined) return { wanted: bytes.length + 1 };
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (size > MAX_FRAME_BYTES) throw new McsError('a message is too long');
    if (byte >= 0x80) continue;
    const start = 2 + i;
    if (bytes.length < start + size) return { wanted: start + size };
    return { frame: { tag, body: bytes.subarray(start, start + size) }, length: start + size };
  }
  throw new McsError("a message's length has no end");
}
