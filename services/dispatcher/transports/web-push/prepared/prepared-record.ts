import {
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import { HEADER_BYTES, KEY_AT, NONCE_AT } from './record-layout.ts';

/** A device's public key and authentication secret, as bytes (RFC 8291 sections 3.1 and 3.2). */
export interface DeviceKeys {
  /** Uncompressed P-256 point, 65 bytes. */
  readonly p256dh: Uint8Array;
  /** 16 bytes. */
  readonly auth: Uint8Array;
}

/** What has to be new for every message to every device; given only by tests with known answers. */
export interface FreshKeys extends KeyPair {
  /** 16 bytes. */
  readonly salt: Buffer;
}

interface KeyPair {
  /** P-256. */
  readonly privateKey: KeyObject;
  readonly publicKey: Point;
}

/** As in a JWK: 32 bytes each, in base64url, zeros in front included (RFC 7518 section 6.2.1.2). */
interface Point {
  readonly x: string;
  readonly y: string;
}

/** The public half as a JWK: as DER it takes 30 µs more, and as a KeyObject there is one more to be collected. */
const PAIR_OPTIONS = { namedCurve: 'P-256', publicKeyEncoding: { format: 'jwk' } };
const RECORD_SIZE = 4096;
const PUBLIC_KEY_BYTES = 65;
const COORDINATE_BYTES = 32;
const SALT_BYTES = 16;
const PUBLIC_KEY_AT = HEADER_BYTES - PUBLIC_KEY_BYTES;
/** SEC 1 section 2.3.3: both coordinates follow. */
const UNCOMPRESSED = 4;
const KEY_INFO = Buffer.from('WebPush: info\0');
const CONTENT_KEY_INFO = Buffer.from('Content-Encoding: aes128gcm\0\x01');
const NONCE_INFO = Buffer.from('Content-Encoding: nonce\0\x01');
const HASH_BLOCK_BYTES = 64;

/** RFC 5480 section 2: the DER of a P-256 key up to its point, and room for that. */
const keyDer = Buffer.concat([
  Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
  Buffer.alloc(PUBLIC_KEY_BYTES),
]);
/** Of RFC 8291 section 3.4: key info, both public keys, and the counter of HKDF's first block. */
const keyInfo = Buffer.concat([KEY_INFO, Buffer.alloc(2 * PUBLIC_KEY_BYTES), Buffer.from([1])]);
const inner = Buffer.alloc(HASH_BLOCK_BYTES + keyInfo.length);
const outer = Buffer.alloc(HASH_BLOCK_BYTES + 32);
/** Drawn many at a time; a salt is no secret, it goes out with the message. Each is given out once. */
const salts = Buffer.alloc(256 * SALT_BYTES);
let saltsGiven = salts.length;

/**
 * Makes one record at `record[0]`: a fresh key pair and salt, the shared secret, and from them content key and nonce
 * (RFC 8291 section 3.4, RFC 8188 section 2). False, and nothing written, when the device's key is not a point of the
 * curve or a key has the wrong length. Intermediate secrets are wiped; those inside OpenSSL are its own matter.
 *
 * By KeyObjects: with the `ECDH` class a record takes a sixth longer, because that checks its own pair and makes a key of
 * the device's each time that it computes a secret.
 */
export function makeRecord(device: DeviceKeys, record: Buffer, fresh?: FreshKeys): boolean {
  if (device.p256dh.length !== PUBLIC_KEY_BYTES || device.auth.length !== 16) return false;
  const deviceKey = importKey(device.p256dh);
  if (deviceKey === undefined) return false;
  const { privateKey, publicKey } = fresh ?? newKeyPair();
  const secret = diffieHellman({ privateKey, publicKey: deviceKey });
  if (fresh === undefined) writeNewSalt(record);
  else record.set(fresh.salt);
  record.writeUInt32BE(RECORD_SIZE, SALT_BYTES);
  record.writeUInt8(PUBLIC_KEY_BYTES, SALT_BYTES + 4);
  writePoint(publicKey, record);
  deriveKeys(record, secret, device);
  return true;
}

/**
 * Undefined when it is not a point of the curve. As PEM, because that is a string: what is an object Node first takes for
 * a KeyObject and a CryptoKey, and finds out by errors that it throws, which take longer than the import itself.
 */
function importKey(point: Uint8Array): KeyObject | undefined {
  keyDer.set(point, keyDer.length - PUBLIC_KEY_BYTES);
  const pem = `-----BEGIN PUBLIC KEY-----\n${keyDer.toString('base64')}\n-----END PUBLIC KEY-----\n`;
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

function newKeyPair(): KeyPair {
  const made: { privateKey: KeyObject; publicKey: unknown } = generateKeyPairSync(
    'ec',
    PAIR_OPTIONS,
  );
  const { privateKey, publicKey } = made;
  if (!isPoint(publicKey)) throw new Error('the new key came out as something else than a JWK');
  return { privateKey, publicKey };
}

/** Node's types have no JWK here. */
function isPoint(key: unknown): key is Point {
  if (typeof key !== 'object' || key === null || !('x' in key) || !('y' in key)) return false;
  return typeof key.x === 'string' && typeof key.y === 'string';
}

function writePoint({ x, y }: Point, record: Buffer): void {
  record[PUBLIC_KEY_AT] = UNCOMPRESSED;
  record.write(x, PUBLIC_KEY_AT + 1, 'base64url');
  record.write(y, PUBLIC_KEY_AT + 1 + COORDINATE_BYTES, 'base64url');
}

function writeNewSalt(record: Buffer): void {
  if (saltsGiven === salts.length) {
    randomFillSync(salts);
    saltsGiven = 0;
  }
  const from = saltsGiven;
  saltsGiven += SALT_BYTES;
  salts.copy(record, 0, from, saltsGiven);
}

/** Writes content key and nonce of a record that has its header. */
function deriveKeys(record: Buffer, secret: Buffer, device: DeviceKeys): void {
  keyInfo.set(device.p256dh, KEY_INFO.length);
  record.copy(keyInfo, KEY_INFO.length + PUBLIC_KEY_BYTES, PUBLIC_KEY_AT, HEADER_BYTES);
  const extracted = hmac(device.auth, secret);
  const input = hmac(extracted, keyInfo);
  const pseudoRandomKey = hmac(record.subarray(0, SALT_BYTES), input);
  const contentKey = hmac(pseudoRandomKey, CONTENT_KEY_INFO);
  const nonce = hmac(pseudoRandomKey, NONCE_INFO);
  contentKey.copy(record, KEY_AT, 0, 16);
  nonce.copy(record, NONCE_AT, 0, 12);
  for (const used of [secret, extracted, input, pseudoRandomKey, contentKey, nonce, inner, outer])
    used.fill(0);
}

/**
 * HMAC-SHA-256 (RFC 2104) of at most `keyInfo.length` bytes under a key of at most one block. By two one-shot hashes: on
 * Node 24 that takes half of what `createHmac` takes with a KeyObject, and a seventh of it with a bare key.
 */
function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  inner.fill(0x36, 0, HASH_BLOCK_BYTES);
  outer.fill(0x5c, 0, HASH_BLOCK_BYTES);
  for (let at = 0; at < key.length; at++) {
    const byte = key[at] ?? 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner.set(data, HASH_BLOCK_BYTES);
  const digest = hash('sha256', inner.subarray(0, HASH_BLOCK_BYTES + data.length), 'buffer');
  outer.set(digest, HASH_BLOCK_BYTES);
  digest.fill(0);
  return hash('sha256', outer, 'buffer');
}
