import { expect, test } from '@jest/globals';
import { CODE, FLAG, FRAME } from './frame.ts';
import { frameProblem } from './frame-rules.ts';

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS } = FRAME;
const { PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FRAME;
const { NO_ERROR, PROTOCOL_ERROR, FRAME_SIZE_ERROR } = CODE;

test.each([
  ['DATA on a stream', DATA, 0, 1, 100, NO_ERROR],
  ['6.1: DATA on the connection', DATA, 0, 0, 100, PROTOCOL_ERROR],
  ['HEADERS on a stream', HEADERS, 0, 1, 100, NO_ERROR],
  ['6.2: HEADERS on the connection', HEADERS, 0, 0, 100, PROTOCOL_ERROR],
  ['PRIORITY', PRIORITY, 0, 1, 5, NO_ERROR],
  ['6.3: PRIORITY on the connection', PRIORITY, 0, 0, 5, PROTOCOL_ERROR],
  ['6.3: PRIORITY of another length', PRIORITY, 0, 1, 4, FRAME_SIZE_ERROR],
  ['RST_STREAM', RST_STREAM, 0, 1, 4, NO_ERROR],
  ['6.4: RST_STREAM on the connection', RST_STREAM, 0, 0, 4, PROTOCOL_ERROR],
  ['6.4: RST_STREAM of another length', RST_STREAM, 0, 1, 5, FRAME_SIZE_ERROR],
  ['SETTINGS', SETTINGS, 0, 0, 12, NO_ERROR],
  ['SETTINGS with nothing in it', SETTINGS, 0, 0, 0, NO_ERROR],
  ['6.5: SETTINGS on a stream', SETTINGS, 0, 1, 12, PROTOCOL_ERROR],
  ['6.5: half a setting', SETTINGS, 0, 0, 7, FRAME_SIZE_ERROR],
  ['6.5: ACK of SETTINGS', SETTINGS, FLAG.ACK, 0, 0, NO_ERROR],
  ['6.5: ACK of SETTINGS with something in it', SETTINGS, FLAG.ACK, 0, 6, FRAME_SIZE_ERROR],
  ['6.6, 8.4: a push, which we do not allow', PUSH_PROMISE, 0, 1, 20, PROTOCOL_ERROR],
  ['PING', PING, 0, 0, 8, NO_ERROR],
  ['6.7: PING on a stream', PING, 0, 1, 8, PROTOCOL_ERROR],
  ['6.7: PING of another length', PING, 0, 0, 7, FRAME_SIZE_ERROR],
  ['GOAWAY', GOAWAY, 0, 0, 8, NO_ERROR],
  ['GOAWAY with a text', GOAWAY, 0, 0, 80, NO_ERROR],
  ['6.8: GOAWAY on a stream', GOAWAY, 0, 1, 8, PROTOCOL_ERROR],
  ['GOAWAY that is too short', GOAWAY, 0, 0, 7, FRAME_SIZE_ERROR],
  ['WINDOW_UPDATE of a stream', WINDOW_UPDATE, 0, 1, 4, NO_ERROR],
  ['WINDOW_UPDATE of the connection', WINDOW_UPDATE, 0, 0, 4, NO_ERROR],
  ['6.9: WINDOW_UPDATE of another length', WINDOW_UPDATE, 0, 0, 3, FRAME_SIZE_ERROR],
  ['CONTINUATION', CONTINUATION, 0, 1, 3, NO_ERROR],
  ['6.10: CONTINUATION on the connection', CONTINUATION, 0, 0, 3, PROTOCOL_ERROR],
  ['5.5: a type that nobody knows', 0xbe, 0xff, 7, 3, NO_ERROR],
])('RFC 9113 %s', (_title, type, flags, streamId, length, code) => {
  expect(frameProblem(type, flags, streamId, length)).toBe(code);
});
