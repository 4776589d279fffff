import { CODE, type ErrorCode, FLAG, FRAME } from './frame.ts';

const ON_STREAM = 1;
const ON_CONNECTION = 2;
const ON_EITHER = 3;

/** Where each frame type may be, and the length that it must have (-1: any). By type: DATA … CONTINUATION. */
const PLACE = [
  ...[ON_STREAM, ON_STREAM, ON_STREAM, ON_STREAM, ON_CONNECTION],
  ...[ON_STREAM, ON_CONNECTION, ON_CONNECTION, ON_EITHER, ON_STREAM],
];
const LENGTH = [-1, -1, 5, 4, -1, -1, 8, -1, 4, -1];
const GOAWAY_MIN_BYTES = 8;
const SETTING_BYTES = 6;

/**
 * What is wrong with a frame by its header alone, as a client sees it that takes no pushes (RFC 9113 sections 6.1 to
 * 6.10): a wrong stream, a wrong length, a push. Unknown types are nobody's error (section 5.5).
 */
export function frameProblem(
  type: number,
  flags: number,
  streamId: number,
  length: number,
): ErrorCode {
  if (type > FRAME.CONTINUATION) return CODE.NO_ERROR;
  const place = streamId === 0 ? ON_CONNECTION : ON_STREAM;
  if (((PLACE[type] ?? ON_EITHER) & place) === 0) return CODE.PROTOCOL_ERROR;
  const expected = LENGTH[type] ?? -1;
  if (expected >= 0 && length !== expected) return CODE.FRAME_SIZE_ERROR;
  if (type === FRAME.SETTINGS) return settingsLengthProblem(flags, length);
  if (type === FRAME.GOAWAY && length < GOAWAY_MIN_BYTES) return CODE.FRAME_SIZE_ERROR;
  return type === FRAME.PUSH_PROMISE ? CODE.PROTOCOL_ERROR : CODE.NO_ERROR;
}

function settingsLengthProblem(flags: number, length: number): ErrorCode {
  const wrong = (flags & FLAG.ACK) !== 0 ? length !== 0 : length % SETTING_BYTES !== 0;
  return wrong ? CODE.FRAME_SIZE_ERROR : CODE.NO_ERROR;
}
