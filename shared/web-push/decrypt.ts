import {
  createDecipheriv,
  createECDH,
  createHmac,
  createSecretKey,
  type ECDH,
  randomBytes,
} from 'node:crypto';

/** What a receiver keeps for one subscription: everything base64url, so that it can stand in JSON. */
export interface ReceiverKeys {
  /** P-256 private scalar, 32 bytes. Never leaves the receiver. */
  readonly privateKey: string;
  /** Uncompressed P-256 point, 65 bytes: `p256dh` of the subscription. */
  readonly publicKey: string;
  /** Authentication secret, 16 bytes: `auth` of the subscription. */
  readonly auth: string;
}

/** The body is not a push message for these keys. The text names the reason and holds nothing of the message. */
export class DecryptError extends Error {
  override readonly name = 'DecryptError';
}

const SALT_BYTES = 16;
const TAG_BYTES = 16;
const POINT_BYTES = 65;
const HEADER_BYTES = SALT_BYTES + 4 + 1 + POINT_BYTES;
/** Last record of an aes128gcm body (RFC 8188 section 2). */
const LAST_RECORD = 2;

const base64url = (bytes: Buffer) => bytes.toString('base64url');

/** A fresh key pair and authentication secret (RFC 8291 sections 3.1 and 3.2). */
export function createReceiverKeys(): ReceiverKeys {
  const ecdh = createECDH('prime256v1');
  const publicKey = ecdh.generateKeys();
  const privateKey = Buffer.alloc(32);
  const scalar = ecdh.getPrivateKey();
  // Leading zeros are not part of what Node returns.
  scalar.copy(privateKey, 32 - scalar.length);
  return {
    privateKey: base64url(privateKey),
    publicKey: base64url(publicKey),
    auth: base64url(randomBytes(16)),
  };
}

/**
 * Decrypts a Web Push body (RFC 8291 over RFC 8188's `aes128gcm`): one record, padding taken off. Throws DecryptError
 * for anything that was not encrypted for these keys or was changed on its way.
 */
export function decryptWebPush(body: Buffer, keys: ReceiverKeys): Buffer {
  const { salt, senderKey, record } = splitBody(body);
  const secret = sharedSecret(keys, senderKey);
  const auth = Buffer.from(keys.auth, 'base64url');
  const keyInfo = Buffer.concat([
    Buffer.from('WebPush: info\0'),
    Buffer.from(keys.publicKey, 'base64url'),
    senderKey,
  ]);
  const inputKey = expand(extract(auth, secret), keyInfo, 32);
  // One extraction serves both expansions (RFC 8188 sections 2.2 and 2.3).
  const extracted = extract(salt, inputKey);
  const contentKey = expand(extracted, 'Content-Encoding: aes128gcm\0', 16);
  const nonce = expand(extracted, 'Content-Encoding: nonce\0', 12);
  return unpad(open(record, contentKey, nonce));
}

function splitBody(body: Buffer): { salt: Buffer; senderKey: Buffer; record: Buffer } {
  if (body.length < HEADER_BYTES + TAG_BYTES + 1) throw new DecryptError('body is too short');
  const recordSize = body.readUInt32BE(SALT_BYTES);
  const keyIdLength = body.readUInt8(SALT_BYTES + 4);
  if (keyIdLength !== POINT_BYTES)
    throw new DecryptError('the sender’s key is not a point of P-256');
  const record = body.subarray(HEADER_BYTES);
  // RFC 8291 section 4: a push message is one record.
  if (record.length > recordSize) throw new DecryptError('more than one record');
  const senderKey = body.subarray(SALT_BYTES + 5, HEADER_BYTES);
  return { salt: body.subarray(0, SALT_BYTES), senderKey, record };
}

function sharedSecret(keys: ReceiverKeys, senderKey: Buffer): Buffer {
  const ecdh: ECDH = createECDH('prime256v1');
  ecdh.setPrivateKey(Buffer.from(keys.privateKey, 'base64url'));
  try {
    return ecdh.computeSecret(senderKey);
  } catch (error) {
    throw new DecryptError('the sender’s key is not a point of P-256', { cause: error });
  }
}

// Keys become KeyObjects: with a bare Buffer Node 24 takes several times as long, and a crowd of receivers decrypts a lot.

/** HKDF-Extract (RFC 5869 section 2.2). */
function extract(salt: Buffer, secret: Buffer): Buffer {
  return createHmac('sha256', createSecretKey(salt)).update(secret).digest();
}

/** HKDF-Expand for at most one block of SHA-256 (RFC 5869 section 2.3). */
function expand(extracted: Buffer, info: Buffer | string, bytes: number): Buffer {
  return createHmac('sha256', createSecretKey(extracted))
    .update(info)
    .update('\x01')
    .digest()
    .subarray(0, bytes);
}

function open(record: Buffer, contentKey: Buffer, nonce: Buffer): Buffer {
  const decipher = createDecipheriv('aes-128-gcm', createSecretKey(contentKey), nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(record.subarray(record.length - TAG_BYTES));
  const clear = decipher.update(record.subarray(0, record.length - TAG_BYTES));
  try {
    decipher.final();
  } catch (error) {
    throw new DecryptError('not encrypted for this subscription, or changed', { cause: error });
  }
  return clear;
}

function unpad(clear: Buffer): Buffer {
  let end = clear.length;
  while (end > 0 && clear[end - 1] === 0) end--;
  if (end === 0 || clear[end - 1] !== LAST_RECORD) throw new DecryptError('padding is wrong');
  return clear.subarray(0, end - 1);
}
