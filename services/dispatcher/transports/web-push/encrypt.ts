import { createCipheriv, createECDH, createHmac, createSecretKey, randomBytes } from 'node:crypto';

/** A device's public key and authentication secret, as bytes (RFC 8291 sections 3.1 and 3.2). */
export interface DeviceKeys {
  readonly p256dh: Buffer;
  readonly auth: Buffer;
}

/** What has to be new for every message to every device. */
export interface FreshKeys {
  /** P-256 private key, 32 bytes. */
  readonly privateKey: Buffer;
  /** 16 bytes. */
  readonly salt: Buffer;
}

/** RFC 8291 section 4: a push message is one record, at most 4,096 bytes in all. */
export const MAX_CLEAR_BYTES = 3993;

const RECORD_SIZE = 4096;
const PUBLIC_KEY_BYTES = 65;
const KEY_INFO = Buffer.from('WebPush: info\0');
const CONTENT_KEY_INFO = Buffer.from('Content-Encoding: aes128gcm\0\x01');
const NONCE_INFO = Buffer.from('Content-Encoding: nonce\0\x01');
const HKDF_FIRST_BLOCK = Buffer.from([1]);
/** RFC 8188 section 2: 2 marks the last record; no padding. */
const LAST_RECORD = Buffer.from([2]);

/**
 * Encrypts for one device (RFC 8291 over RFC 8188, aes128gcm) with a key pair and salt of its own. Undefined when the
 * device's key is not a point of the curve.
 */
export function encryptPush(
  clear: Buffer,
  device: DeviceKeys,
  fresh?: FreshKeys,
): Buffer | undefined {
  const ecdh = createECDH('prime256v1');
  if (fresh === undefined) ecdh.generateKeys();
  else ecdh.setPrivateKey(fresh.privateKey);
  const ownPublicKey = ecdh.getPublicKey();
  const salt = fresh?.salt ?? randomBytes(16);
  let shared: Buffer;
  try {
    shared = ecdh.computeSecret(device.p256dh);
  } catch {
    return undefined;
  }
  const input = hmac(
    hmac(device.auth, shared),
    Buffer.concat([KEY_INFO, device.p256dh, ownPublicKey, HKDF_FIRST_BLOCK]),
  );
  const pseudoRandomKey = hmac(salt, input);
  const contentKey = hmac(pseudoRandomKey, CONTENT_KEY_INFO).subarray(0, 16);
  const nonce = hmac(pseudoRandomKey, NONCE_INFO).subarray(0, 12);
  const cipher = createCipheriv('aes-128-gcm', createSecretKey(contentKey), nonce);
  return Buffer.concat([
    recordHeader(salt, ownPublicKey),
    cipher.update(clear),
    cipher.update(LAST_RECORD),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/** RFC 8188 section 2.1: salt, record size, key id (here the sender's public key). */
function recordHeader(salt: Buffer, ownPublicKey: Buffer): Buffer {
  const sizes = Buffer.alloc(5);
  sizes.writeUInt32BE(RECORD_SIZE, 0);
  sizes.writeUInt8(PUBLIC_KEY_BYTES, 4);
  return Buffer.concat([salt, sizes, ownPublicKey]);
}

/** Keys become KeyObjects: with a bare Buffer Node 24 takes several times as long. */
function hmac(key: Buffer, data: Buffer): Buffer {
  return createHmac('sha256', createSecretKey(key)).update(data).digest();
}
