/** RFC 9113 section 4.1: three bytes of length, type, flags, four bytes of stream id. */
export const FRAME_HEADER_BYTES = 9;
/** We never advertise another SETTINGS_MAX_FRAME_SIZE than the smallest, so a longer frame is an error. */
export const MAX_FRAME_BYTES = 16_384;
/** Of stream ids, windows and increments. */
export const MAX_31_BITS = 0x7fff_ffff;

/** RFC 9113 section 6. */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** RFC 9113 section 6; ACK and END_STREAM are the same bit of different frames. */
export const FLAG = {
  NONE: 0,
  ACK: 0x1,
  END_STREAM: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** RFC 9113 section 7. */
export const CODE = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

/** One of RFC 9113 section 7's error codes; 0 means that nothing is wrong. */
export type ErrorCode = number;

/** Writes the nine bytes before a payload and returns where the payload begins. */
export function putFrameHeader(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  into[at + 5] = streamId >>> 24;
  into[at + 6] = streamId >>> 16;
  into[at + 7] = streamId >>> 8;
  into[at + 8] = streamId;
  return at + FRAME_HEADER_BYTES;
}

/** Four bytes, big endian, without the reserved first bit. */
export function read31Bits(bytes: Uint8Array, at: number): number {
  const high = (((bytes[at] ?? 0) & 0x7f) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

/** Four bytes, big endian. */
export function read32Bits(bytes: Uint8Array, at: number): number {
  return read31Bits(bytes, at) + ((bytes[at] ?? 0) >= 0x80 ? 0x8000_0000 : 0);
}

/** A whole small frame of its own: RST_STREAM, WINDOW_UPDATE (4 bytes of payload each). */
export function wordFrame(type: number, streamId: number, word: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + 4);
  frame.writeUInt32BE(word, putFrameHeader(frame, 0, 4, type, FLAG.NONE, streamId));
  return frame;
}

/** Opaque bytes that tell our PINGs from an answer to something else: a number in the last four of the eight. */
export function pingFrame(flags: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + 8);
  frame.set(payload.subarray(0, 8), putFrameHeader(frame, 0, 8, FRAME.PING, flags, 0));
  return frame;
}

/** RFC 9113 section 6.8. We take no streams of the peer, so the last one is always 0. */
export function goawayFrame(code: ErrorCode): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + 8);
  putFrameHeader(frame, 0, 8, FRAME.GOAWAY, FLAG.NONE, 0);
  frame.writeUInt32BE(code, FRAME_HEADER_BYTES + 4);
  return frame;
}
