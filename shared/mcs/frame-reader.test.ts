import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { createFrameReader, encodeFrame, MAX_FRAME_BYTES, McsError } from './frame-reader.ts';
import { encodeVarint } from './protobuf-writer.ts';

const VERSION = Buffer.from([41]);
const frame = fc.record({
  tag: fc.nat(255),
  body: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
});

/** The same bytes in pieces of these sizes, over and over. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

test('fuzz: messages come out whole and in order, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 5 }),
      (frames, sizes) => {
        const reader = createFrameReader();
        const bytes = Buffer.concat([VERSION, ...frames.map(encodeFrame)]);
        expect(pieces(bytes, sizes).flatMap(reader.push)).toEqual(frames);
      },
    ),
    { numRuns: 500 },
  );
});

test('fuzz: any bytes are messages or an McsError, never anything else, and no message is too long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const reader = createFrameReader();
      try {
        for (const piece of pieces(Buffer.concat([VERSION, bytes]), [1, 7]))
          for (const { body } of reader.push(piece))
            expect(body.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
      } catch (error) {
        expect(error).toBeInstanceOf(McsError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('the longest message passes, one byte more does not, and is refused before it has come', () => {
  const longest = { tag: 8, body: Buffer.alloc(MAX_FRAME_BYTES) };
  expect(createFrameReader().push(Buffer.concat([VERSION, encodeFrame(longest)]))).toEqual([
    longest,
  ]);
  const head = Buffer.concat([VERSION, Buffer.from([8]), encodeVarint(MAX_FRAME_BYTES + 1)]);
  expect(() => createFrameReader().push(head)).toThrow('too long');
});

test.each([
  ['a length without an end', Buffer.from([41, 8, 0x80, 0x80, 0x80, 0x80, 0x80])],
  ['an older version', Buffer.from([37])],
  ['version 0', Buffer.from([0])],
])('%s is refused', (_name, bytes) => {
  expect(() => createFrameReader().push(bytes)).toThrow(McsError);
});

test('a message that comes byte by byte is joined once, not once for each byte', () => {
  const reader = createFrameReader();
  const bytes = Buffer.concat([
    VERSION,
    encodeFrame({ tag: 8, body: Buffer.alloc(MAX_FRAME_BYTES) }),
  ]);
  const single = [...bytes].map((byte) => Buffer.from([byte]));
  const join = jest.spyOn(Buffer, 'concat');
  try {
    expect(single.flatMap(reader.push)).toHaveLength(1);
    // The tag, each byte of the length, and the whole.
    expect(join.mock.calls.length).toBeLessThanOrEqual(5);
  } finally {
    join.mockRestore();
  }
});
