import { expect, test } from '@jest/globals';
import { CODE } from './frame.ts';
import { applySettings, defaultPeerSettings, SETTING, settingsFrame } from './settings.ts';

function apply(...pairs: (readonly [number, number])[]) {
  const peer = defaultPeerSettings();
  const sizes: number[] = [];
  const bytes = settingsFrame(pairs);
  const code = applySettings(bytes, 9, bytes.length, peer, (size) => sizes.push(size));
  return { peer, sizes, code };
}

test('each setting has its place, unknown ones have none, the last of two counts', () => {
  const { peer, sizes, code } = apply(
    [SETTING.MAX_CONCURRENT_STREAMS, 7],
    [SETTING.MAX_CONCURRENT_STREAMS, 8],
    [SETTING.INITIAL_WINDOW_SIZE, 0],
    [SETTING.MAX_FRAME_SIZE, 0xff_ffff],
    [SETTING.HEADER_TABLE_SIZE, 0],
    [SETTING.HEADER_TABLE_SIZE, 100],
    [SETTING.ENABLE_PUSH, 0],
    [0xabcd, 0xffff_ffff],
  );
  expect(code).toBe(CODE.NO_ERROR);
  expect(sizes).toEqual([0, 100]);
  expect(peer).toEqual({
    maxConcurrentStreams: 8,
    initialWindowSize: 0,
    maxFrameSize: 0xff_ffff,
    headerTableSize: 100,
  });
});

test.each([
  ['a push that a server may not announce', SETTING.ENABLE_PUSH, 1, CODE.PROTOCOL_ERROR],
  ['a window above 2^31-1', SETTING.INITIAL_WINDOW_SIZE, 0x8000_0000, CODE.FLOW_CONTROL_ERROR],
  ['a frame size below 16384', SETTING.MAX_FRAME_SIZE, 16_383, CODE.PROTOCOL_ERROR],
  ['a frame size above 2^24-1', SETTING.MAX_FRAME_SIZE, 0x100_0000, CODE.PROTOCOL_ERROR],
])('RFC 9113 section 6.5.2: %s ends the connection', (_title, id, value, code) => {
  expect(apply([id, value]).code).toBe(code);
});
