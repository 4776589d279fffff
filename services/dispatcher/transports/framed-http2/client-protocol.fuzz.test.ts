import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CODE, FLAG, FRAME } from './frame.ts';
import { SETTING } from './settings.ts';
import { Conversation } from './test-support/conversation.ts';
import {
  block,
  data,
  frame,
  goaway,
  headers,
  reset,
  settings,
  settingsAck,
  windowUpdate,
} from './test-support/peer-frames.ts';

const REQUESTS = 6;
/** HEADERS and RST_STREAM of each request, and one answer of ours for each frame of theirs. */
const WRITTEN_PER_REQUEST = 200;
const WRITTEN_PER_BYTE = 3;

const streamId = fc.oneof(
  { weight: 8, arbitrary: fc.nat(REQUESTS).map((i) => 2 * i + 1) },
  { weight: 1, arbitrary: fc.nat(40) },
);
const status = fc.constantFrom('100', '103', '200', '201', '404', '410', '429', '500', '503');
const text = fc.string({ maxLength: 300 });

const validFrame = fc.oneof(
  fc
    .tuple(streamId, status, fc.boolean())
    .map(([id, code, end]) => headers(id, { ':status': code, 'retry-after': '3' }, end)),
  fc.tuple(streamId, text, fc.boolean()).map(([id, body, end]) => data(id, body, end)),
  fc.tuple(streamId, fc.nat(14)).map(([id, code]) => reset(id, code)),
  fc
    .tuple(fc.oneof(fc.constant(0), streamId), fc.nat(70_000))
    .map(([id, n]) => windowUpdate(id, n)),
  fc
    .tuple(fc.constantFrom(...Object.values(SETTING)), fc.oneof(fc.nat(70_000), fc.nat()))
    .map((pair) => settings(pair)),
  fc.constant(settingsAck()),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => frame(FRAME.PING, 0, 0, bytes)),
  fc.tuple(streamId, fc.nat(14)).map(([id, code]) => goaway(id, code)),
  fc.tuple(streamId, status).map(([id, code]) => {
    const bytes = block({ ':status': code });
    return Buffer.concat([
      frame(FRAME.HEADERS, FLAG.NONE, id, bytes.subarray(0, 4)),
      frame(FRAME.CONTINUATION, FLAG.END_HEADERS, id, bytes.subarray(4)),
    ]);
  }),
);
const anyFrame = fc
  .tuple(fc.nat(11), fc.nat(255), streamId, fc.uint8Array({ maxLength: 80 }))
  .map(([type, flags, id, payload]) => frame(type, flags, id, payload));

/** Feeds it, ends as a session would, and looks at what is left. */
function survive(chunks: readonly Uint8Array[], beginsWell: boolean): void {
  const talk = new Conversation({ maxStreams: REQUESTS });
  if (beginsWell) talk.peer(settings([SETTING.INITIAL_WINDOW_SIZE, 20]));
  const requests = beginsWell
    ? Array.from({ length: REQUESTS }, () => talk.post({ body: Buffer.alloc(30) }))
    : [];
  let [code, received] = [0, 0];
  for (const chunk of chunks) {
    received += chunk.length;
    code = talk.peer(Buffer.from(chunk));
    if (code !== CODE.NO_ERROR) break;
  }
  talk.protocol.end(code);
  const back = [...talk.settled.keys(), ...talk.unprocessed.map(([request]) => request)].sort();
  expect(back).toEqual(requests);
  expect(talk.protocol.count).toBe(0);
  talk.sent();
  expect(talk.bytesWritten).toBeLessThan(
    300 + REQUESTS * WRITTEN_PER_REQUEST + received * WRITTEN_PER_BYTE,
  );
}

test('random bytes never get an exception out of the client, and every request comes back once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 }),
      fc.boolean(),
      survive,
    ),
    { numRuns: 300 },
  );
});

test('nor do frames of any type, on any stream, with anything in them', () => {
  fc.assert(fc.property(fc.array(anyFrame, { maxLength: 30 }), fc.boolean(), survive), {
    numRuns: 300,
  });
});

test('nor do frames that are right by themselves in any order', () => {
  fc.assert(fc.property(fc.array(validFrame, { maxLength: 40 }), fc.constant(true), survive), {
    numRuns: 500,
  });
});

test('nor does a good conversation with bytes changed, taken out and put in, cut anywhere', () => {
  const edit = fc.record({
    at: fc.nat(3_000),
    kind: fc.constantFrom('change', 'remove', 'insert'),
    byte: fc.nat(255),
  });
  fc.assert(
    fc.property(
      fc.array(validFrame, { minLength: 5, maxLength: 40 }),
      fc.array(edit, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 500 }),
      (frames, edits, cut) => {
        const bytes = [...Buffer.concat(frames)];
        for (const { at, kind, byte } of edits) {
          const place = at % (bytes.length + 1);
          if (kind === 'insert') bytes.splice(place, 0, byte);
          else if (kind === 'remove') bytes.splice(place, 1);
          else if (place < bytes.length) bytes[place] = byte;
        }
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += cut)
          chunks.push(Uint8Array.from(bytes.slice(at, at + cut)));
        survive(chunks, true);
      },
    ),
    { numRuns: 500 },
  );
});
