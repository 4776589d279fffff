import { createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_AT, NONCE_AT, RECORD_BYTES } from '../prepared/record-layout.ts';
import { checkKnownAnswers, createSealer } from './create-sealer.ts';
import { nodeSealer } from './node-sealer.ts';
import { MAX_CLEAR_BYTES, type PushPayload, pushPayload } from './push-payload.ts';
import type { Sealer } from './sealer.ts';
import { createWasmSealer } from './wasm-sealer.ts';

const wasm = createWasmSealer();
const sealers: [string, Sealer][] = [
  ['WebAssembly', wasm],
  ['node:crypto', nodeSealer],
  ['the chosen one', createSealer({ log: { warn: () => undefined } })],
];

const payloadOf = (text: Uint8Array): PushPayload => {
  const payload = pushPayload(text);
  if (!payload) throw new Error('too large');
  return payload;
};
const sealed = (sealer: Sealer, record: Buffer, payload: PushPayload): Buffer => {
  const target = Buffer.alloc(payload.sealedBytes);
  sealer.seal(Buffer.from(record), payload, target, 0);
  return target;
};

test.each(sealers)('RFC 8291 appendix A and OpenSSL: %s gives the known answers', (_, sealer) => {
  checkKnownAnswers(sealer);
});

test('the GCM specification’s test case 3: WebAssembly gives its cipher text', () => {
  // Not its tag: a push message has a delimiter after the text.
  const key = Buffer.from('feffe9928665731c6d6a8f9467308308', 'hex');
  const nonce = Buffer.from('cafebabefacedbaddecaf888', 'hex');
  const text =
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255';
  const cipherText =
    '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985';
  const record = Buffer.concat([Buffer.alloc(86), key, nonce]);
  const body = sealed(wasm, record, payloadOf(Buffer.from(text, 'hex')));
  expect(body.toString('hex', 86, 86 + 64)).toBe(cipherText);
});

test('every length: WebAssembly and node:crypto write the same bytes', () => {
  for (let length = 0; length <= MAX_CLEAR_BYTES; length++) {
    const payload = payloadOf(randomBytes(length));
    const record = randomBytes(RECORD_BYTES);
    expect(sealed(wasm, record, payload).equals(sealed(nodeSealer, record, payload))).toBe(true);
  }
});

test('any key, nonce, text and place: the same bytes, nothing written beside them, and they open', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(
      bytes(RECORD_BYTES),
      fc.uint8Array({ maxLength: 3_000, size: 'max' }),
      fc.nat({ max: 50 }),
      (record, text, at) => {
        const payload = payloadOf(text);
        const targets = sealers.map(([, sealer]) => {
          const target = Buffer.alloc(at + payload.sealedBytes + 40, 0xaa);
          sealer.seal(Buffer.from(record), payload, target, at);
          return target;
        });
        const [first = Buffer.alloc(0)] = targets;
        for (const target of targets) expect(target.equals(first)).toBe(true);
        expect(first.subarray(0, at).every((byte) => byte === 0xaa)).toBe(true);
        expect(first.subarray(at + payload.sealedBytes).every((byte) => byte === 0xaa)).toBe(true);
        const body = first.subarray(at, at + payload.sealedBytes);
        expect(opened(record, body)).toEqual(payload.clear);
      },
    ),
    { numRuns: 150 },
  );
});

test.each(sealers)('%s: key and nonce are wiped in the record, the header stays', (_, sealer) => {
  for (const length of [0, 5, 300, MAX_CLEAR_BYTES]) {
    const record = randomBytes(RECORD_BYTES);
    const before = Buffer.from(record);
    const payload = payloadOf(randomBytes(length));
    sealer.seal(record, payload, Buffer.alloc(payload.sealedBytes), 0);
    expect(record.subarray(0, 86)).toEqual(before.subarray(0, 86));
    expect(record.subarray(86).every((byte) => byte === 0)).toBe(true);
  }
});

test.each(sealers)('%s: a target without room is refused', (_, sealer) => {
  const payload = payloadOf(Buffer.from('alerte'));
  const seal = (size: number, at: number) => () =>
    sealer.seal(randomBytes(RECORD_BYTES), payload, Buffer.alloc(size), at);
  expect(seal(payload.sealedBytes - 1, 0)).toThrow(RangeError);
  expect(seal(payload.sealedBytes, 1)).toThrow(RangeError);
  expect(seal(payload.sealedBytes, -1)).toThrow(RangeError);
});

test('texts that take turns are not mixed up, and a payload is a copy of its text', () => {
  const text = Buffer.from('Alerte : crue');
  const first = payloadOf(text);
  const second = payloadOf(Buffer.from('Flood warning, leave now'));
  text.fill(0);
  for (const payload of [first, second, first, first, second]) {
    const record = randomBytes(RECORD_BYTES);
    expect(sealed(wasm, record, payload)).toEqual(sealed(nodeSealer, record, payload));
  }
  expect(first.clear.toString('utf8', 0, 6)).toBe('Alerte');
});

test('a text of 3,993 bytes fits, one more does not', () => {
  expect(pushPayload(Buffer.alloc(3_993))?.sealedBytes).toBe(4_096);
  expect(pushPayload(Buffer.alloc(3_994))).toBeUndefined();
});

test('WebAssembly with one wrong bit anywhere in its answers is not used, and the log says so once', () => {
  const broken: Sealer = {
    seal(record, payload, target, at) {
      wasm.seal(record, payload, target, at);
      target[at + payload.sealedBytes - 1] = (target[at + payload.sealedBytes - 1] ?? 0) ^ 1;
    },
  };
  const lines: unknown[] = [];
  const log = { warn: (...line: unknown[]) => void lines.push(line) };
  expect(createSealer({ log, makeFast: () => broken })).toBe(nodeSealer);
  const failing = () => createWasmSealer(Buffer.from('no module'));
  expect(createSealer({ log, makeFast: failing })).toBe(nodeSealer);
  expect(lines).toHaveLength(2);
});

function opened(record: Uint8Array, body: Buffer): Buffer {
  const key = createSecretKey(record.subarray(KEY_AT, NONCE_AT));
  const decipher = createDecipheriv('aes-128-gcm', key, record.subarray(NONCE_AT, RECORD_BYTES));
  decipher.setAuthTag(body.subarray(body.length - 16));
  return Buffer.concat([decipher.update(body.subarray(86, body.length - 16)), decipher.final()]);
}
