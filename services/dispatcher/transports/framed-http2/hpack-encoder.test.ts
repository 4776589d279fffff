import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SharedHeaders } from '../post-client.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder } from './hpack-encoder.ts';

/** An encoder, and the peer that follows it. */
function pair(peerTableSize = 4096) {
  const encoder = new HpackEncoder('push.example');
  const decoder = new HpackDecoder(4096);
  if (peerTableSize !== 4096) limit(peerTableSize);
  function limit(size: number) {
    encoder.setPeerLimit(size);
    decoder.allow(size);
  }
  function send(headers: SharedHeaders, path = '/p', length = 400) {
    const most = encoder.begin(headers, path);
    const bytes = Buffer.alloc(most);
    const end = encoder.write(bytes, 0, path, length);
    const fields: [string, string][] = [];
    const isGood = decoder.decode(bytes, 0, end, {
      onField: (name, value) => fields.push([name, value]) > 0,
    });
    return { bytes: end, fields: isGood ? fields : undefined };
  }
  return { send, limit };
}

const whole = (headers: SharedHeaders, path = '/p', length = 400) => [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'push.example'],
  [':path', path],
  ...Object.entries(headers),
  ['content-length', String(length)],
];

const WEB_PUSH = {
  authorization: `vapid t=${'x'.repeat(180)}, k=${'y'.repeat(87)}`,
  ttl: '3600',
  urgency: 'high',
  'content-encoding': 'aes128gcm',
  'content-type': 'application/octet-stream',
};

test('the first block spells the shared headers out, each later one has a byte for each of them', () => {
  const { send } = pair();
  const first = send(WEB_PUSH);
  const second = send(WEB_PUSH, '/another', 7);
  expect(first.fields).toEqual(whole(WEB_PUSH));
  expect(second.fields).toEqual(whole(WEB_PUSH, '/another', 7));
  // Method, scheme, authority and five headers; the path and the length as they are.
  expect(second.bytes).toBe(8 + 2 + '/another'.length + 3 + '7'.length);
});

test('a new token makes one new entry; the old set goes on being understood', () => {
  const { send } = pair();
  const renewed = { ...WEB_PUSH, authorization: 'vapid t=new' };
  send(WEB_PUSH);
  expect(send(renewed).fields).toEqual(whole(renewed));
  expect(send(WEB_PUSH).fields).toEqual(whole(WEB_PUSH));
  const [first, second] = [send(renewed), send(WEB_PUSH)];
  expect([first.fields, second.fields]).toEqual([whole(renewed), whole(WEB_PUSH)]);
  expect(first.bytes).toBe(second.bytes);
});

test.each([0, 1, 40, 300, 4096, 65_536])(
  'a peer with a table of %i bytes understands us',
  (size) => {
    const { send } = pair(size);
    for (let i = 0; i < 3; i++) expect(send(WEB_PUSH).fields).toEqual(whole(WEB_PUSH));
  },
);

test('without a table every block is whole, and begins with no size update but the first', () => {
  const { send } = pair(0);
  const [first, second, third] = [send(WEB_PUSH), send(WEB_PUSH), send(WEB_PUSH)];
  expect(first.bytes).toBe(second.bytes + 1);
  expect(third.bytes).toBe(second.bytes);
});

test('RFC 7541 section 4.2: a table made small and large again between two blocks is empty', () => {
  const { send, limit } = pair();
  const long = send(WEB_PUSH).bytes;
  const short = send(WEB_PUSH).bytes;
  limit(0);
  limit(2_000);
  const after = send(WEB_PUSH);
  expect(after.fields).toEqual(whole(WEB_PUSH));
  expect(after.bytes).toBeGreaterThanOrEqual(long);
  expect(send(WEB_PUSH).bytes).toBe(short);
});

test('two sets that do not fit together do not chase each other out of the table', () => {
  const { send } = pair(500);
  const other = { authorization: 'z'.repeat(300), ttl: '1' };
  let bytes = 0;
  for (let i = 0; i < 100; i++) {
    expect(send(WEB_PUSH).fields).toEqual(whole(WEB_PUSH));
    const { fields, bytes: more } = send(other);
    expect(fields).toEqual(whole(other));
    bytes += more;
  }
  // Spelled out, once for all: it is not put in and out again.
  expect(bytes).toBeGreaterThan(90 * 300);
});

test('a table full of old tokens takes the new one when some blocks have passed', () => {
  const { send } = pair();
  for (let i = 0; i < 20; i++) send({ ...WEB_PUSH, authorization: `${i}`.padEnd(300, '.') });
  const last = { ...WEB_PUSH, authorization: 'last'.padEnd(300, '.') };
  for (let i = 0; i < 1_100; i++) expect(send(last).fields).toEqual(whole(last));
  expect(send(last).bytes).toBeLessThan(30);
});

test('many sets of headers are not kept for ever', () => {
  const { send } = pair();
  for (let i = 0; i < 500; i++) {
    const headers = { ttl: String(i) };
    expect(send(headers).fields).toEqual(whole(headers));
  }
});

const headersArbitrary = fc.dictionary(
  fc.constantFrom('ttl', 'urgency', 'authorization', 'x-a', 'content-type', 'retry-after'),
  fc.oneof(
    fc.constantFrom('1', '2', 'high'),
    fc.string({ unit: 'grapheme-ascii', maxLength: 200 }),
  ),
);
const stepArbitrary = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ set: fc.nat(7), path: fc.webPath(), length: fc.nat(99_999) }),
  },
  { weight: 1, arbitrary: fc.record({ limit: fc.constantFrom(0, 50, 300, 1_000, 4_096, 65_536) }) },
);

test('whatever the sets, the tables and their order: the peer always reads what we meant', () => {
  fc.assert(
    fc.property(
      fc.array(headersArbitrary, { minLength: 8, maxLength: 8 }),
      fc.array(stepArbitrary, { maxLength: 60 }),
      (sets, steps) => {
        const { send, limit } = pair();
        for (const step of steps) {
          if ('limit' in step) limit(step.limit);
          else {
            const set = sets[step.set] ?? {};
            const path = `/${step.path}`;
            expect(send(set, path, step.length).fields).toEqual(whole(set, path, step.length));
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});
