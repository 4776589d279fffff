import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CODE, FRAME, MAX_FRAME_BYTES } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { frame } from './test-support/peer-frames.ts';

function reading(fail?: { atFrame: number; code: number }) {
  const seen: string[] = [];
  const reader = new FrameReader({
    onFrame: (type, flags, streamId, bytes, start, end) => {
      seen.push(`${type} ${flags} ${streamId} ${bytes.subarray(start, end).toString('hex')}`);
      return seen.length === fail?.atFrame ? fail.code : CODE.NO_ERROR;
    },
  });
  return { reader, seen };
}

const frameArbitrary = fc
  .tuple(fc.nat(12), fc.nat(255), fc.nat(0x7fff_ffff), fc.uint8Array({ maxLength: 60 }))
  .map(([type, flags, streamId, payload]) => ({ type, flags, streamId, payload }));

test('however the stream is cut into chunks, the same frames come out', () => {
  fc.assert(
    fc.property(
      fc.array(frameArbitrary, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = Buffer.concat(
          frames.map((each) => frame(each.type, each.flags, each.streamId, each.payload)),
        );
        const { reader, seen } = reading();
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = at + (cuts[i % cuts.length] ?? 1);
          expect(reader.read(stream.subarray(at, end))).toBe(CODE.NO_ERROR);
          at = end;
        }
        expect(seen).toEqual(
          frames.map(
            ({ type, flags, streamId, payload }) =>
              `${type} ${flags} ${streamId} ${Buffer.from(payload).toString('hex')}`,
          ),
        );
      },
    ),
  );
});

test('the reserved first bit of a stream id means nothing (RFC 9113 section 4.1)', () => {
  const { reader, seen } = reading();
  const bytes = frame(FRAME.DATA, 0, 5, Buffer.alloc(0));
  bytes[5] = 0x80;
  reader.read(bytes);
  expect(seen).toEqual(['0 0 5 ']);
});

test.each([1, 4, 9, 100_000])(
  'a frame of 16384 bytes is read, a longer one is refused as soon as its length is known (chunks of %i)',
  (size) => {
    const feed = (bytes: Buffer) => {
      const { reader, seen } = reading();
      for (let at = 0; at < bytes.length; at += size) {
        const error = reader.read(bytes.subarray(at, at + size));
        if (error !== CODE.NO_ERROR) return error;
      }
      return seen.length;
    };
    expect(feed(frame(FRAME.DATA, 0, 1, Buffer.alloc(MAX_FRAME_BYTES)))).toBe(1);
    const tooLong = frame(FRAME.DATA, 0, 1, Buffer.alloc(MAX_FRAME_BYTES + 1));
    expect(feed(tooLong.subarray(0, 9))).toBe(CODE.FRAME_SIZE_ERROR);
  },
);

test.each([1, 7, 1_000])('after an error nothing more is handed on (chunks of %i)', (size) => {
  const { reader, seen } = reading({ atFrame: 2, code: CODE.PROTOCOL_ERROR });
  const bytes = Buffer.concat([1, 3, 5].map((id) => frame(FRAME.DATA, 0, id, Buffer.from('abc'))));
  let error = 0;
  for (let at = 0; at < bytes.length && error === 0; at += size)
    error = reader.read(bytes.subarray(at, at + size));
  expect(error).toBe(CODE.PROTOCOL_ERROR);
  expect(seen).toHaveLength(2);
});
