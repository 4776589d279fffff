import { expect, test } from '@jest/globals';
import { CODE, FLAG, FRAME } from './frame.ts';
import { SETTING } from './settings.ts';
import { Conversation, describeFrame } from './test-support/conversation.ts';
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

const OK = { ':status': '200' };
const answered = (status: number, body = '', retryAfter?: string) => ({
  kind: 'answer',
  status,
  retryAfter,
  body,
});
const CONNECTION = { kind: 'failed', reason: 'connection' };

/** A connection that is ready, with `count` requests on streams 1, 3, 5 … */
function ready(count = 0, ...pairs: (readonly [number, number])[]) {
  const talk = new Conversation();
  talk.peer(settings(...pairs), settingsAck());
  talk.sent();
  for (let i = 0; i < count; i++) talk.post();
  return talk;
}

const sentBy = (talk: Conversation) => talk.sent().map(describeFrame);

test('begins with SETTINGS and a large window; is of use after the peer has sent its own', () => {
  const talk = new Conversation();
  expect(sentBy(talk)).toEqual(['SETTINGS 0', 'WINDOW_UPDATE 0 16711681']);
  expect([talk.protocol.isUsable, talk.protocol.room]).toEqual([false, 0]);
  expect(talk.peer(settings([SETTING.MAX_CONCURRENT_STREAMS, 7]))).toBe(CODE.NO_ERROR);
  expect(sentBy(talk)).toEqual(['SETTINGS 0 ack']);
  expect([talk.protocol.isUsable, talk.protocol.room, talk.protocol.capacity]).toEqual([
    true,
    7,
    7,
  ]);
  expect(talk.events).toEqual(['ready']);
});

test('a request is HEADERS and DATA; one without a body is HEADERS alone', () => {
  const talk = ready();
  talk.post({ path: '/a', headers: { ttl: '60' } });
  talk.post({ path: '/b', body: new Uint8Array() });
  const [first, second, third, ...rest] = talk.sent();
  expect(rest).toEqual([]);
  expect([first?.streamId, first?.flags]).toEqual([1, FLAG.END_HEADERS]);
  expect(talk.fieldsOf(first?.payload ?? Buffer.alloc(0))).toEqual([
    ...[':method: POST', ':scheme: https', ':authority: push.example', ':path: /a'],
    ...['ttl: 60', 'content-length: 4'],
  ]);
  expect([second?.streamId, second?.flags, second?.payload.toString()]).toEqual([1, 1, 'body']);
  expect([third?.streamId, third?.flags]).toEqual([3, FLAG.END_HEADERS | FLAG.END_STREAM]);
});

test('headers that are longer than a frame go on in CONTINUATIONs', () => {
  const talk = ready();
  const path = `/${'p'.repeat(40_000)}`;
  talk.post({ path });
  const frames = talk.sent();
  expect(frames.map(describeFrame)).toEqual([
    ...['HEADERS 1', 'CONTINUATION 1', 'CONTINUATION 1', 'DATA 1 4 end'],
  ]);
  expect(frames.map(({ flags }) => flags & FLAG.END_HEADERS)).toEqual([0, 0, 4, 0]);
  const whole = Buffer.concat(frames.slice(0, 3).map(({ payload }) => payload));
  expect(talk.fieldsOf(whole)).toContain(`:path: ${path}`);
});

test.each([
  ['a status alone', [headers(1, OK)], answered(200)],
  ['a body of a 2xx is not kept', [headers(1, OK, false), data(1, 'x')], answered(200)],
  [
    'a body of anything else is',
    [headers(1, { ':status': '404' }, false), data(1, 'go', false), data(1, 'ne')],
    answered(404, 'gone'),
  ],
  ['Retry-After', [headers(1, { ':status': '429', 'retry-after': '12' })], answered(429, '', '12')],
  [
    'interim answers before it',
    [
      headers(1, { ':status': '100' }, false),
      headers(1, { ':status': '103' }, false),
      headers(1, OK),
    ],
    answered(200),
  ],
  [
    'trailers after it',
    [headers(1, { ':status': '500' }, false), data(1, 'why', false), headers(1, { 'x-a': 'b' })],
    answered(500, 'why'),
  ],
  [
    'an empty DATA frame at its end',
    [headers(1, { ':status': '410' }, false), data(1, '')],
    answered(410),
  ],
  [
    'its body cut off: the status counts',
    [
      headers(1, { ':status': '503' }, false),
      data(1, 'half', false),
      reset(1, CODE.INTERNAL_ERROR),
    ],
    answered(503, 'half'),
  ],
  [
    'frames that nobody knows in between',
    [
      frame(0xaa, 0, 1, Buffer.from('?')),
      headers(1, OK, false),
      frame(0xbb, 0, 0, Buffer.from('?')),
      data(1, ''),
    ],
    answered(200),
  ],
])('an answer: %s', (_title, frames, exchange) => {
  const talk = ready(1);
  expect(talk.peer(...frames)).toBe(CODE.NO_ERROR);
  expect(talk.settled.get(1)).toEqual(exchange);
  expect(talk.protocol.count).toBe(0);
});

test('padding, priority and CONTINUATION are read around', () => {
  const talk = ready(1);
  const bytes = block({ ':status': '503', 'retry-after': '5' });
  const padded = Buffer.concat([
    Buffer.from([3]),
    Buffer.alloc(5),
    bytes.subarray(0, 6),
    Buffer.alloc(3),
  ]);
  talk.peer(
    frame(FRAME.HEADERS, FLAG.PADDED | FLAG.PRIORITY, 1, padded),
    frame(FRAME.CONTINUATION, 0, 1, bytes.subarray(6, 9)),
    frame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(0)),
    frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 1, bytes.subarray(9)),
    frame(FRAME.DATA, FLAG.PADDED | FLAG.END_STREAM, 1, Buffer.from('\x02why\0\0')),
  );
  expect(talk.settled.get(1)).toEqual(answered(503, 'why', '5'));
});

test.each([
  ['DATA before HEADERS', [data(1, 'x')]],
  ['no status', [headers(1, { server: 'x' })]],
  ['two statuses', [frame(1, 5, 1, Buffer.concat([block({ ':status': '404' }), block(OK)]))]],
  ['a status that is none', [headers(1, { ':status': '20' })]],
  ['a status after a field', [frame(1, 5, 1, Buffer.concat([block({ a: 'b' }), block(OK)]))]],
  ['another pseudo-header', [headers(1, { ':path': '/', ':status': '404' })]],
  ['a name in capitals', [headers(1, { ':status': '404', Date: 'x' })]],
  ['an interim answer that is the end', [headers(1, { ':status': '100' })]],
  ['101', [headers(1, { ':status': '101' }, false)]],
  ['trailers that are not the end', [headers(1, OK, false), headers(1, { a: 'b' }, false)]],
  ['trailers with a status', [headers(1, OK, false), headers(1, OK)]],
  ['a window that grows by 0', [windowUpdate(1, 0)]],
])('RFC 9113 section 8.1.1: %s fails this request alone', (_title, frames) => {
  const talk = ready(2);
  talk.sent();
  expect(talk.peer(...frames)).toBe(CODE.NO_ERROR);
  expect(talk.settled.get(1)).toEqual(CONNECTION);
  expect(sentBy(talk)).toEqual([`RST_STREAM 1 ${CODE.PROTOCOL_ERROR}`]);
  talk.peer(headers(3, OK));
  expect(talk.settled.get(2)).toEqual(answered(200));
});

const { PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR } = CODE;
const { COMPRESSION_ERROR, ENHANCE_YOUR_CALM } = CODE;

test.each([
  ['headers of a stream that we did not open', [headers(99, OK)], PROTOCOL_ERROR],
  ['headers of an even stream', [headers(2, OK)], PROTOCOL_ERROR],
  ['a reset of a stream that we did not open', [reset(99, 0)], PROTOCOL_ERROR],
  ['a window of a stream that we did not open', [windowUpdate(99, 1)], PROTOCOL_ERROR],
  ['a push', [frame(FRAME.PUSH_PROMISE, 4, 1, Buffer.alloc(4))], PROTOCOL_ERROR],
  ['a CONTINUATION of nothing', [frame(FRAME.CONTINUATION, 4, 1, block(OK))], PROTOCOL_ERROR],
  [
    'another frame in the middle of headers',
    [frame(1, 0, 1, block(OK)), data(1, 'x')],
    PROTOCOL_ERROR,
  ],
  [
    'an unknown frame in the middle of headers',
    [frame(1, 0, 1, block(OK)), frame(0xaa, 0, 1, block(OK))],
    PROTOCOL_ERROR,
  ],
  [
    'a CONTINUATION of another stream',
    [frame(1, 0, 1, block(OK)), frame(FRAME.CONTINUATION, 4, 3, block(OK))],
    PROTOCOL_ERROR,
  ],
  ['more padding than there is frame', [frame(0, 8, 1, Buffer.from('\x05abc'))], PROTOCOL_ERROR],
  [
    'more padding than there are headers',
    [frame(1, 12, 1, Buffer.from('\x05abc'))],
    PROTOCOL_ERROR,
  ],
  ['a block that is none', [frame(1, 4, 1, Buffer.from([0x80]))], COMPRESSION_ERROR],
  [
    'a block that is none on a closed stream',
    [headers(1, OK), frame(1, 4, 1, Buffer.from([0x80]))],
    COMPRESSION_ERROR,
  ],
  ['a window of the connection that grows by 0', [windowUpdate(0, 0)], PROTOCOL_ERROR],
  ['a window of the connection beyond 2^31-1', [windowUpdate(0, 0x7fff_ffff)], FLOW_CONTROL_ERROR],
  [
    'streams whose windows a setting lifts beyond 2^31-1',
    [windowUpdate(1, 1_000_000), settings([SETTING.INITIAL_WINDOW_SIZE, 0x7fff_ffff])],
    FLOW_CONTROL_ERROR,
  ],
  ['a wrong setting', [settings([SETTING.MAX_FRAME_SIZE, 1])], PROTOCOL_ERROR],
  ['a PING that is too short', [frame(FRAME.PING, 0, 0, Buffer.alloc(4))], FRAME_SIZE_ERROR],
  ['a frame beyond 16 KiB', [frame(0, 0, 1, Buffer.alloc(16_385))], FRAME_SIZE_ERROR],
  [
    'headers without end',
    [
      frame(1, 0, 1, block(OK)),
      ...Array.from({ length: 40 }, () => frame(9, 0, 1, Buffer.alloc(0))),
    ],
    ENHANCE_YOUR_CALM,
  ],
  [
    'headers of more than 64 KiB',
    [
      frame(1, 0, 1, block(OK)),
      ...Array.from({ length: 5 }, () => frame(9, 0, 1, Buffer.alloc(16_000))),
    ],
    ENHANCE_YOUR_CALM,
  ],
])('RFC 9113: %s ends the connection, and every request', (_title, frames, code) => {
  const talk = ready(2);
  talk.sent();
  expect(talk.peer(...frames)).toBe(code);
  talk.protocol.end(code);
  expect(talk.sent().map(describeFrame).at(-1)).toBe(`GOAWAY 0 ${code}`);
  expect(talk.settled.size).toBe(2);
  expect(talk.settled.get(2)).toEqual(CONNECTION);
  expect([talk.protocol.room, talk.protocol.count]).toEqual([0, 0]);
});

test('RFC 9113 section 3.4: a first frame other than SETTINGS ends the connection', () => {
  expect(new Conversation().peer(windowUpdate(0, 5))).toBe(CODE.PROTOCOL_ERROR);
  expect(new Conversation().peer(settingsAck())).toBe(CODE.PROTOCOL_ERROR);
});

test('a window of a stream beyond 2^31-1 fails that stream', () => {
  const talk = ready(2);
  talk.sent();
  talk.peer(windowUpdate(1, 0x7fff_ffff));
  expect(sentBy(talk)).toEqual([`RST_STREAM 1 ${CODE.FLOW_CONTROL_ERROR}`]);
  expect([...talk.settled.keys()]).toEqual([1]);
});

test('frames for a stream that is closed are passed over, but count for the connection', () => {
  const talk = ready(1);
  talk.protocol.cancel(0);
  talk.peer(headers(1, OK, false), windowUpdate(1, 5), data(1, 'x'.repeat(9_000)), reset(1, 8));
  expect(talk.settled.size).toBe(0);
});

test('a cancelled request is reset, and its place is free at once', () => {
  const talk = ready(0, [SETTING.MAX_CONCURRENT_STREAMS, 1]);
  talk.post();
  expect(talk.protocol.room).toBe(0);
  talk.sent();
  talk.protocol.cancel(0);
  expect(sentBy(talk)).toEqual([`RST_STREAM 1 ${CODE.CANCEL}`]);
  expect(talk.protocol.room).toBe(1);
});

test.each([
  [CODE.REFUSED_STREAM, 'refused'],
  [CODE.ENHANCE_YOUR_CALM, 'refused'],
  [CODE.CANCEL, undefined],
  [CODE.NO_ERROR, undefined],
])('a reset with code %i without an answer: unprocessed = %s', (code, why) => {
  const talk = ready(1);
  talk.peer(reset(1, code));
  if (why === undefined) expect(talk.settled.get(1)).toEqual(CONNECTION);
  else expect(talk.unprocessed).toEqual([[1, why]]);
  expect(talk.settled.size + talk.unprocessed.length).toBe(1);
});

test('GOAWAY gives back what is above its last stream; the rest is answered; nothing new is taken', () => {
  const talk = ready(5);
  talk.peer(goaway(0x7fff_ffff));
  expect(talk.unprocessed).toEqual([]);
  talk.peer(goaway(5));
  expect(talk.unprocessed).toEqual([
    [4, 'session-ends'],
    [5, 'session-ends'],
  ]);
  expect([talk.protocol.room, talk.protocol.isDraining]).toEqual([0, true]);
  talk.peer(headers(1, OK), headers(5, OK));
  expect([...talk.settled.keys()]).toEqual([1, 3]);
  expect(talk.events.filter((event) => event.startsWith('draining'))).toEqual([
    'draining: GOAWAY 0',
  ]);
});

test('their PING is answered with the same bytes; an answer to a PING of ours is told apart', () => {
  const talk = ready();
  talk.peer(frame(FRAME.PING, 0, 0, Buffer.from('theirown')));
  expect(talk.sent()[0]).toMatchObject({ flags: FLAG.ACK, payload: Buffer.from('theirown') });
  talk.protocol.ping();
  const payload = talk.sent()[0]?.payload ?? Buffer.alloc(8);
  talk.peer(frame(FRAME.PING, FLAG.ACK, 0, Buffer.from('theirown')));
  expect(talk.events).not.toContain('pong');
  talk.peer(frame(FRAME.PING, FLAG.ACK, 0, payload));
  expect(talk.events).toContain('pong');
});

test('a body waits for the window of its stream, in pieces if need be', () => {
  const talk = ready(0, [SETTING.INITIAL_WINDOW_SIZE, 3]);
  talk.post({ body: Buffer.from('0123456789') });
  expect(sentBy(talk)).toEqual(['HEADERS 1', 'DATA 1 3']);
  talk.peer(windowUpdate(1, 5));
  expect(sentBy(talk)).toEqual(['DATA 1 5']);
  talk.peer(settings([SETTING.INITIAL_WINDOW_SIZE, 4]));
  expect(sentBy(talk)).toEqual(['SETTINGS 0 ack', 'DATA 1 1']);
  talk.peer(windowUpdate(1, 100));
  expect(sentBy(talk)).toEqual(['DATA 1 1 end']);
});

test('a smaller initial window makes windows negative: they must be filled up first', () => {
  const talk = ready(0, [SETTING.INITIAL_WINDOW_SIZE, 8]);
  talk.post({ body: Buffer.from('0123456789') });
  talk.sent();
  talk.peer(settings([SETTING.INITIAL_WINDOW_SIZE, 0]));
  talk.peer(windowUpdate(1, 8));
  expect(sentBy(talk)).toEqual(['SETTINGS 0 ack']);
  talk.peer(windowUpdate(1, 1));
  expect(sentBy(talk)).toEqual(['DATA 1 1']);
});

test('without a window of the connection nothing new is taken; what is stuck goes on in order', () => {
  const talk = ready();
  talk.post({ body: Buffer.alloc(65_530) });
  talk.post({ body: Buffer.alloc(10) });
  talk.post({ body: Buffer.alloc(10) });
  expect(talk.protocol.room).toBe(0);
  expect(
    sentBy(talk).filter((line) => line.startsWith('DATA 3') || line.startsWith('DATA 5')),
  ).toEqual(['DATA 3 5']);
  talk.peer(windowUpdate(0, 6));
  expect(sentBy(talk)).toEqual(['DATA 3 5 end', 'DATA 5 1']);
  talk.peer(windowUpdate(0, 1_000));
  expect(sentBy(talk)).toEqual(['DATA 5 9 end']);
  expect(talk.protocol.room).toBe(97);
});

test('an answer that is complete before the body was sent ends the stream without an error', () => {
  const talk = ready(0, [SETTING.INITIAL_WINDOW_SIZE, 3]);
  talk.post({ body: Buffer.from('0123456789') });
  talk.sent();
  talk.peer(headers(1, { ':status': '413' }));
  expect(talk.settled.get(1)).toEqual(answered(413));
  expect(sentBy(talk)).toEqual([`RST_STREAM 1 ${CODE.NO_ERROR}`]);
  talk.peer(windowUpdate(0, 100), windowUpdate(1, 100));
  expect(sentBy(talk)).toEqual([]);
});

test('an answer is read up to 64 KiB, then its stream is ended; the connection gets its window back', () => {
  const talk = ready(1);
  talk.peer(headers(1, { ':status': '500' }, false));
  const piece = 'x'.repeat(16_000);
  for (let i = 0; i < 5; i++) talk.peer(data(1, piece, false));
  const exchange = talk.settled.get(1);
  expect(exchange?.kind === 'answer' && exchange.body.length).toBe(65_536);
  expect(sentBy(talk)).toContain(`RST_STREAM 1 ${CODE.CANCEL}`);
  for (let i = 0; i < 600; i++) expect(talk.peer(data(1, piece, false))).toBe(CODE.NO_ERROR);
  expect(sentBy(talk)).toEqual([expect.stringMatching(/^WINDOW_UPDATE 0 8/)]);
});

test.each(['200', '500'])(
  'endless padding or an endless body of a %s does not hold a stream',
  (status) => {
    const talk = ready(1);
    talk.peer(headers(1, { ':status': status }, false));
    const padding = Buffer.alloc(201);
    padding[0] = 200;
    for (let i = 0; i < 1_000; i++) talk.peer(frame(FRAME.DATA, FLAG.PADDED, 1, padding));
    expect(talk.settled.get(1)).toMatchObject({ kind: 'answer', status: Number(status) });
  },
);

test('new limits hold at once: fewer streams than are open leave no room', () => {
  const talk = ready(5);
  talk.peer(settings([SETTING.MAX_CONCURRENT_STREAMS, 3]));
  expect(talk.protocol.room).toBeLessThanOrEqual(0);
  talk.peer(settings([SETTING.MAX_CONCURRENT_STREAMS, 0]));
  expect([talk.protocol.capacity, talk.protocol.isUsable]).toEqual([0, true]);
});

test('a smaller header table of the peer holds from the next block on', () => {
  const talk = ready();
  const shared = { authorization: 'vapid' };
  talk.post({ headers: shared });
  talk.post({ headers: shared });
  for (const { type, payload } of talk.sent()) if (type === FRAME.HEADERS) talk.fieldsOf(payload);
  talk.peer(settings([SETTING.HEADER_TABLE_SIZE, 0]));
  talk.decoder.allow(0);
  for (let i = 0; i < 2; i++) {
    talk.post({ headers: shared });
    const sent = talk.sent().find(({ type }) => type === FRAME.HEADERS);
    expect(talk.fieldsOf(sent?.payload ?? Buffer.alloc(0))).toContain('authorization: vapid');
  }
});

test('a connection whose stream ids run out takes nothing new, before there is none left', () => {
  const talk = new Conversation({ firstStreamId: 0x7fff_fffb });
  talk.peer(settings());
  talk.post();
  expect(talk.protocol.room).toBe(99);
  talk.post();
  expect([talk.protocol.room, talk.protocol.isDraining]).toEqual([0, true]);
  expect(talk.events).toContain('draining: no stream ids left');
  talk.peer(headers(0x7fff_fffb, OK), headers(0x7fff_fffd, OK));
  expect(talk.settled.size).toBe(2);
});

test('after the end nothing is read and nothing settles twice', () => {
  const talk = ready(2);
  talk.protocol.end(CODE.NO_ERROR);
  expect(talk.peer(headers(1, OK), frame(0, 0, 0, Buffer.alloc(0)))).toBe(CODE.NO_ERROR);
  talk.protocol.end(CODE.NO_ERROR);
  expect(talk.settled.size).toBe(2);
});
