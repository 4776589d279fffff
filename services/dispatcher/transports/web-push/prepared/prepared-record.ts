import { createECDH, type ECDH, hash, randomFillSync } from 'node:crypto';
import { HEADER_BYTES, KEY_AT, NONCE_AT } from './record-layout.ts';

/** A device's public key and authentication secret, as bytes (RFC 8291 sections 3.1 and 3.2). */
export interface DeviceKeys {
  /** Uncompressed P-256 point, 65 bytes. */
  readonly p256dh: Uint8Array;
  /** 16 bytes. */
  readonly auth: Uint8Array;
}

/** What has to be new for every message to every device; given only by tests with known answers. */
export interface FreshKeys {
  /** P-256 private key, 32 bytes. */
  readonly privateKey: Buffer;
  /** 16 bytes. */
  readonly salt: Buffer;
}

const RECORD_SIZE = 4096;
const PUBLIC_KEY_BYTES = 65;
const SALT_BYTES = 16;
const KEY_INFO = Buffer.from('WebPush: info\0');
const CONTENT_KEY_INFO = Buffer.from('Content-Encoding: aes128gcm\0\x01');
const NONCE_INFO = Buffer.from('Content-Encoding: nonce\0\x01');
const HASH_BLOCK_BYTES = 64;

/** Of RFC 8291 section 3.4: key info, both public keys, and the counter of HKDF's first block. */
const keyInfo = Buffer.concat([KEY_INFO, Buffer.alloc(2 * PUBLIC_KEY_BYTES), Buffer.from([1])]);
const inner = Buffer.alloc(HASH_BLOCK_BYTES + keyInfo.length);
const outer = Buffer.alloc(HASH_BLOCK_BYTES + 32);

/**
 * Makes one record at `record[0]`: a fresh key pair and salt, the shared secret, and from them content key and nonce
 * (RFC 8291 section 3.4, RFC 8188 section 2). False, and nothing written, when the device's key is not a point of the
 * curve or a key has the wrong length. Intermediate secrets are wiped; those inside OpenSSL are its own matter.
 */
export function makeRecord(device: DeviceKeys, record: Buffer, fresh?: FreshKeys): boolean {
  if (device.p256dh.length !== PUBLIC_KEY_BYTES || device.auth.length !== 16) return false;
  const ecdh = createECDH('prime256v1');
  if (fresh !== undefined) ecdh.setPrivateKey(fresh.privateKey);
  const ownKey = fresh === undefined ? ecdh.generateKeys() : ecdh.getPublicKey();
  const secret = sharedSecret(ecdh, device.p256dh);
  if (secret === undefined) return false;
  if (fresh === undefined) randomFillSync(record, 0, SALT_BYTES);
  else record.set(fresh.salt);
  record.writeUInt32BE(RECORD_SIZE, SALT_BYTES);
  record.writeUInt8(PUBLIC_KEY_BYTES, SALT_BYTES + 4);
  record.set(ownKey, HEADER_BYTES - PUBLIC_KEY_BYTES);
  deriveKeys(record, secret, device, ownKey);
  return true;
}

function sharedSecret(ecdh: ECDH, deviceKey: Uint8Array): Buffer | undefined {
  try {
    return ecdh.computeSecret(deviceKey);
  } catch {
    return undefined;
  }
}

/** Writes content key and nonce of a record that has its salt. */
function deriveKeys(record: Buffer, secret: Buffer, device: DeviceKeys, ownKey: Buffer): void {
  keyInfo.set(device.p256dh, KEY_INFO.length);
  keyInfo.set(ownKey, KEY_INFO.length + PUBLIC_KEY_BYTES);
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
