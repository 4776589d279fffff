import { FLAG, FRAME, FRAME_HEADER_BYTES, putFrameHeader, wordFrame } from '../frame.ts';

/** Any frame, right or wrong. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  bytes.set(payload, putFrameHeader(bytes, 0, payload.length, type, flags, streamId));
  return bytes;
}

export const settings = (...pairs: readonly (readonly [number, number])[]): Buffer => {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [i, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frame(FRAME.SETTINGS, FLAG.NONE, 0, payload);
};

export const settingsAck = (): Buffer => frame(FRAME.SETTINGS, FLAG.ACK, 0, Buffer.alloc(0));

export const goaway = (lastStreamId: number, code = 0): Buffer => {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId, 0);
  payload.writeUInt32BE(code, 4);
  return frame(FRAME.GOAWAY, FLAG.NONE, 0, payload);
};

export const reset = (streamId: number, code: number): Buffer =>
  wordFrame(FRAME.RST_STREAM, streamId, code);

export const windowUpdate = (streamId: number, increment: number): Buffer =>
  wordFrame(FRAME.WINDOW_UPDATE, streamId, increment);

export const data = (streamId: number, text: string, end = true): Buffer =>
  frame(FRAME.DATA, end ? FLAG.END_STREAM : FLAG.NONE, streamId, Buffer.from(text));

/** A header block of literals without indexing and without Huffman, as RFC 7541 section 6.2.2 has it. */
export function block(fields: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(fields).flatMap(([name, value]) => [
    Buffer.from([0]),
    ...[name, value].flatMap((text) => [stringLength(text.length), Buffer.from(text, 'latin1')]),
  ]);
  return Buffer.concat(parts);
}

function stringLength(length: number): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/** Header fields on a stream, whole. */
export const headers = (
  streamId: number,
  fields: Readonly<Record<string, string>>,
  end = true,
): Buffer =>
  frame(
    FRAME.HEADERS,
    FLAG.END_HEADERS | (end ? FLAG.END_STREAM : FLAG.NONE),
    streamId,
    block(fields),
  );
