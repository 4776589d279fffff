import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeCheckInRequest,
  decodeCheckInResponse,
  encodeCheckInRequest,
  encodeCheckInResponse,
} from './check-in.ts';
import { createFrameReader, McsError } from './frame-reader.ts';
import { bytesField, message, varintField } from './protobuf-writer.ts';
import { decodeStanza, encodeStanza, type KnownStanza } from './stanzas.ts';

function roundTrip(stanza: KnownStanza) {
  const [frame] = createFrameReader().push(
    Buffer.concat([Buffer.from([41]), encodeStanza(stanza)]),
  );
  if (!frame) throw new Error('no message');
  return decodeStanza(frame);
}

const STANZAS: readonly KnownStanza[] = [
  { kind: 'heartbeat-ping', lastStreamId: 3 },
  { kind: 'heartbeat-ack' },
  {
    kind: 'login-request',
    id: 'chrome-140',
    domain: 'mcs.android.com',
    user: '42',
    resource: '42',
    authToken: '43',
    deviceId: 'android-2a',
    receivedIds: ['0:1%a', '0:2%b'],
  },
  { kind: 'login-response', id: 'x', lastStreamId: 1, serverTimeMs: 1_790_000_000_000 },
  { kind: 'login-response', id: 'x', error: { code: 401, message: 'no' } },
  { kind: 'close' },
  { kind: 'iq', id: '', lastStreamId: 9, extension: { kind: 'stream-ack' } },
  { kind: 'iq', id: '1', extension: { kind: 'selective-ack', ids: ['a', 'b'] } },
  {
    kind: 'data',
    id: 'm',
    from: '100000000001',
    category: 'org.tocsin',
    collapseKey: 'k',
    appData: { alert: 'é', via: 'a' },
    persistentId: '0:1%a',
    ttlSeconds: 60,
    sentMs: 1_790_000_000_000,
    rawData: Buffer.from([1, 2]),
    immediateAck: true,
  },
  { kind: 'stream-error', type: 'why' },
];

test.each(STANZAS.map((stanza) => [stanza.kind, stanza] as const))(
  'what is said is heard: %s',
  (_kind, stanza) => {
    expect(roundTrip(stanza)).toMatchObject(stanza);
  },
);

test('a tag that has no meaning here is told apart and not read', () => {
  expect(decodeStanza({ tag: 11, body: Buffer.from('anything') })).toEqual({
    kind: 'other',
    tag: 11,
  });
});

test('a message that lacks what it has to have is refused', () => {
  const noSender = { tag: 8, body: bytesField(5, 'category') };
  expect(() => decodeStanza(noSender)).toThrow(/from is missing/);
  expect(() => decodeStanza({ tag: 2, body: Buffer.alloc(0) })).toThrow(McsError);
});

test('data whose key is __proto__ is data', () => {
  const entry = bytesField(7, message(bytesField(1, '__proto__'), bytesField(2, 'x')));
  const body = message(bytesField(3, 'from'), bytesField(5, 'category'), entry);
  const data = decodeStanza({ tag: 8, body });
  expect(data.kind === 'data' && Object.entries(data.appData)).toEqual([['__proto__', 'x']]);
});

test('fuzz: any body under any tag is a stanza or an McsError', () => {
  fc.assert(
    fc.property(fc.nat(15), fc.uint8Array({ maxLength: 200 }), (tag, bytes) => {
      try {
        expect(typeof decodeStanza({ tag, body: Buffer.from(bytes) }).kind).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(McsError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a check-in says who we are, if we know, and its answer who we are from now on, up to 64 bits', () => {
  const identity = { androidId: String(2n ** 63n - 1n), securityToken: String(2n ** 64n - 1n) };
  expect(decodeCheckInRequest(encodeCheckInRequest({}, '140.0'))).toEqual({});
  expect(decodeCheckInRequest(encodeCheckInRequest({ identity }, '140.0'))).toEqual({ identity });
  expect(decodeCheckInResponse(encodeCheckInResponse(identity, 1))).toEqual(identity);
  expect(() => decodeCheckInResponse(varintField(1, true))).toThrow('no identity');
  expect(() => decodeCheckInRequest(Buffer.alloc(0))).toThrow('checkin is missing');
});
