import {
  CODE,
  type ErrorCode,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_31_BITS,
  MAX_FRAME_BYTES,
  putFrameHeader,
  read32Bits,
} from './frame.ts';

/** RFC 9113 section 6.5.2. */
export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

const SETTING_BYTES = 6;
const LARGEST_MAX_FRAME_SIZE = 0xff_ffff;

/** What the peer has said last about itself. */
export interface PeerSettings {
  headerTableSize: number;
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
}

/** What holds until the peer's first SETTINGS. */
export function defaultPeerSettings(): PeerSettings {
  return {
    headerTableSize: 4096,
    maxConcurrentStreams: Number.POSITIVE_INFINITY,
    initialWindowSize: 65_535,
    maxFrameSize: MAX_FRAME_BYTES,
  };
}

/**
 * Takes over the settings of a frame, in their order. `onTableSize` is called for each HEADER_TABLE_SIZE: between a
 * small one and a large one in the same frame the table was emptied (RFC 7541 section 4.2). What is unknown is ignored.
 */
export function applySettings(
  bytes: Buffer,
  start: number,
  end: number,
  peer: PeerSettings,
  onTableSize: (size: number) => void,
): ErrorCode {
  for (let at = start; at + SETTING_BYTES <= end; at += SETTING_BYTES) {
    const id = bytes.readUInt16BE(at);
    const value = read32Bits(bytes, at + 2);
    const problem = settingProblem(id, value);
    if (problem !== CODE.NO_ERROR) return problem;
    if (id === SETTING.MAX_CONCURRENT_STREAMS) peer.maxConcurrentStreams = value;
    else if (id === SETTING.INITIAL_WINDOW_SIZE) peer.initialWindowSize = value;
    else if (id === SETTING.MAX_FRAME_SIZE) peer.maxFrameSize = value;
    else if (id === SETTING.HEADER_TABLE_SIZE) {
      peer.headerTableSize = value;
      onTableSize(value);
    }
  }
  return CODE.NO_ERROR;
}

/** RFC 9113 section 6.5.2: values that end the connection. A server may only say of pushes that it sends none. */
function settingProblem(id: number, value: number): ErrorCode {
  if (id === SETTING.ENABLE_PUSH && value !== 0) return CODE.PROTOCOL_ERROR;
  if (id === SETTING.INITIAL_WINDOW_SIZE && value > MAX_31_BITS) return CODE.FLOW_CONTROL_ERROR;
  if (id === SETTING.MAX_FRAME_SIZE && (value < MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_SIZE))
    return CODE.PROTOCOL_ERROR;
  return CODE.NO_ERROR;
}

/** A SETTINGS frame with these values. */
export function settingsFrame(values: readonly (readonly [id: number, value: number])[]): Buffer {
  const length = values.length * SETTING_BYTES;
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + length);
  let at = putFrameHeader(frame, 0, length, FRAME.SETTINGS, FLAG.NONE, 0);
  for (const [id, value] of values) {
    at = frame.writeUInt16BE(id, at);
    at = frame.writeUInt32BE(value, at);
  }
  return frame;
}

/** "I have taken over your settings." */
export function settingsAckFrame(): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES);
  putFrameHeader(frame, 0, 0, FRAME.SETTINGS, FLAG.ACK, 0);
  return frame;
}
