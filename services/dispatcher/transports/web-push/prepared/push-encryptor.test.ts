import { createECDH, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createReceiverKeys,
  decryptWebPush,
  type ReceiverKeys,
} from '../../../../../shared/web-push/decrypt.ts';
import { encryptPush } from '../encrypt.ts';
import { nodeSealer } from '../seal/node-sealer.ts';
import { pushPayload } from '../seal/push-payload.ts';
import { createWasmSealer } from '../seal/wasm-sealer.ts';
import { FINGERPRINT_WORDS, type WebPushKeys } from './fingerprint.ts';
import { KeptBodies } from './kept-bodies.ts';
import { makeRecord } from './prepared-record.ts';
import { PreparedStore } from './prepared-store.ts';
import { createPushEncryptor, decodeKeys } from './push-encryptor.ts';
import { RECORD_BYTES } from './record-layout.ts';

/** The decryptor inside web-push: another author's, from the RFC. */
interface HttpEce {
  decrypt(body: Buffer, params: object): Buffer;
}
const requireHere = createRequire(import.meta.url);
const httpEce: HttpEce = createRequire(requireHere.resolve('web-push'))('http_ece');

const receivers = [createReceiverKeys(), createReceiverKeys(), createReceiverKeys()];
const keysOf = ({ publicKey, auth }: ReceiverKeys): WebPushKeys => ({ p256dh: publicKey, auth });
const receiver = receivers[0] ?? createReceiverKeys();
const keys = keysOf(receiver);

function prepare(store: PreparedStore, wanted: WebPushKeys): Buffer {
  const record = Buffer.alloc(RECORD_BYTES);
  const fingerprint = new Int32Array(FINGERPRINT_WORDS);
  expect(makeRecord(decodeKeys(wanted), record)).toBe(true);
  if (store.lacks(wanted, fingerprint)) expect(store.put(fingerprint, record)).toBe(true);
  return record;
}

function encryptorWith(sealer = createWasmSealer()) {
  const store = new PreparedStore(10);
  const kept = new KeptBodies(100_000);
  return { store, kept, encryptor: createPushEncryptor({ store, sealer, kept }) };
}

function payloadOf(text: Uint8Array) {
  const payload = pushPayload(text);
  if (!payload) throw new Error('too large');
  return payload;
}

function openedByBoth(body: Buffer, { privateKey, publicKey, auth }: ReceiverKeys): Buffer {
  const ours = decryptWebPush(body, { privateKey, publicKey, auth });
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(Buffer.from(privateKey, 'base64url'));
  const theirs = httpEce.decrypt(body, {
    version: 'aes128gcm',
    privateKey: ecdh,
    authSecret: auth,
  });
  expect(ours.equals(theirs)).toBe(true);
  return ours;
}

test('texts of 0 to 3,000 bytes: by every way they are opened by two decryptors of different authors', () => {
  const wasm = encryptorWith();
  const node = encryptorWith(nodeSealer);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3_000, size: 'max' }), (bytes) => {
      const text = Buffer.from(bytes);
      const payload = payloadOf(text);
      for (const { store, encryptor } of [wasm, node]) {
        prepare(store, keys);
        const before = encryptor.counts.prepared;
        const prepared = encryptor.encrypt(payload, keys) ?? Buffer.alloc(0);
        expect(encryptor.counts.prepared).toBe(before + 1);
        expect(openedByBoth(prepared, receiver).equals(text)).toBe(true);
        const onTheSpot = encryptor.encrypt(payload, keys) ?? Buffer.alloc(0);
        expect(openedByBoth(onTheSpot, receiver).equals(text)).toBe(true);
        encryptor.recycle(payload, prepared);
        const inTheSamePlace = encryptor.encrypt(payload, keys) ?? Buffer.alloc(0);
        expect(inTheSamePlace).toBe(prepared);
        expect(openedByBoth(inTheSamePlace, receiver).equals(text)).toBe(true);
      }
      const whole = encryptPush(text, decodeKeys(keys)) ?? Buffer.alloc(0);
      expect(openedByBoth(whole, receiver).equals(text)).toBe(true);
    }),
    { numRuns: 100 },
  );
}, 60_000);

test('a record is used once, in whatever order devices are prepared for and sent to', () => {
  const step = fc.record({
    device: fc.nat({ max: receivers.length - 1 }),
    action: fc.constantFrom('prepare', 'send', 'send', 'renew keys', 'sweep'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { store, encryptor } = encryptorWith();
      const devices = [...receivers];
      const salts = new Set<string>();
      let sent = 0;
      for (const { device, action } of steps) {
        const at = devices[device] ?? receiver;
        if (action === 'prepare') prepare(store, keysOf(at));
        else if (action === 'renew keys')
          devices[device] = { ...at, auth: randomBytes(16).toString('base64url') };
        else if (action === 'sweep') {
          store.beginPass();
          for (const one of devices) store.lacks(keysOf(one), new Int32Array(FINGERPRINT_WORDS));
          store.sweep(0, 100);
        } else {
          const body = encryptor.encrypt(payloadOf(Buffer.from(`${sent}`)), keysOf(at));
          if (!body) throw new Error('keys are valid');
          // Opened with the keys of now: a record for the keys of before would fail here.
          expect(decryptWebPush(body, at).toString()).toBe(`${sent}`);
          salts.add(body.toString('hex', 0, 86));
          sent++;
        }
      }
      expect(salts.size).toBe(sent);
      expect(encryptor.counts.prepared + encryptor.counts.on_the_spot).toBe(sent);
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('a subscription whose p256dh or auth changed gets nothing from its old record', () => {
  const other = createReceiverKeys();
  for (const changed of [
    { p256dh: keys.p256dh, auth: keysOf(other).auth },
    { p256dh: keysOf(other).p256dh, auth: keys.auth },
  ]) {
    const { store } = encryptorWith();
    prepare(store, keys);
    expect(store.take(changed, Buffer.alloc(RECORD_BYTES))).toBe(false);
    expect(store.take(keys, Buffer.alloc(RECORD_BYTES))).toBe(true);
  }
});

test('from the moment that a record is handed out, the store holds nothing of it', () => {
  const { store, encryptor } = encryptorWith();
  const record = prepare(store, keys);
  const secrets = [record.subarray(86, 102), record.subarray(102)];
  expect(secrets.map((secret) => store.holds(secret))).toEqual([true, true]);
  const failing = createPushEncryptor({
    store,
    kept: new KeptBodies(0),
    sealer: {
      seal(taken) {
        expect(Buffer.from(taken).equals(record)).toBe(true);
        expect(secrets.map((secret) => store.holds(secret))).toEqual([false, false]);
        throw new Error('sealing fails');
      },
    },
  });
  expect(() => failing.encrypt(payloadOf(Buffer.from('x')), keys)).toThrow('sealing fails');
  // What failed has used it up all the same.
  expect(store.ready).toBe(0);
  expect(encryptor.encrypt(payloadOf(Buffer.from('x')), keys)).toBeDefined();
  expect(encryptor.counts).toEqual({ prepared: 0, on_the_spot: 1, kept: 0 });
});

test('a retry of the same payload sends the same bytes, and uses no record', () => {
  const { store, encryptor } = encryptorWith();
  const payload = payloadOf(Buffer.from('alerte'));
  prepare(store, keys);
  const body = encryptor.encrypt(payload, keys) ?? Buffer.alloc(0);
  prepare(store, keys);
  encryptor.keepForRetry(payload, keys, body);
  expect(encryptor.encrypt(payload, keys)).toBe(body);
  expect(store.ready).toBe(1);
  expect(encryptor.counts).toEqual({ prepared: 1, on_the_spot: 0, kept: 1 });
});

test('another text, or other keys, never get what was kept', () => {
  const { encryptor } = encryptorWith();
  const payload = payloadOf(Buffer.from('alerte'));
  const body = encryptor.encrypt(payload, keys) ?? Buffer.alloc(0);
  encryptor.keepForRetry(payload, keys, body);
  expect(encryptor.encrypt(payloadOf(Buffer.from('alerte')), keys)).not.toEqual(body);
  const renewed = { ...keys, auth: randomBytes(16).toString('base64url') };
  expect(encryptor.encrypt(payload, renewed)).not.toEqual(body);
});

test('what is kept for retries is bounded: the oldest are forgotten and encrypted anew', () => {
  const kept = new KeptBodies(2_000);
  const payload = payloadOf(Buffer.from('alerte'));
  const many = Array.from({ length: 50 }, (_, n) => ({ p256dh: `key ${n}`, auth: 'auth' }));
  for (const one of many) kept.keep(payload, one, Buffer.alloc(200));
  expect(kept.bytes).toBeLessThanOrEqual(2_000);
  expect(kept.size).toBe(4);
  expect(many.map((one) => kept.take(payload, one) !== undefined).lastIndexOf(false)).toBe(45);
  expect([kept.size, kept.bytes]).toEqual([0, 0]);
});

test('keys that are no point of the curve are an answer, not an exception, and count as nothing', () => {
  const { encryptor } = encryptorWith();
  const payload = payloadOf(Buffer.from('x'));
  const bad = { p256dh: Buffer.alloc(65, 4).toString('base64url'), auth: keys.auth };
  expect(encryptor.encrypt(payload, bad)).toBeUndefined();
  expect(encryptor.encrypt(payload, { p256dh: keys.p256dh, auth: 'AA' })).toBeUndefined();
  expect(encryptor.counts.on_the_spot).toBe(0);
});
