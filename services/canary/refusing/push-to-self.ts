import {
  createCipheriv,
  createECDH,
  createPrivateKey,
  hkdfSync,
  randomBytes,
  sign,
} from 'node:crypto';
import { z } from 'zod';

/** The refusing receiver's own VAPID keys (RFC 8292), base64url: its endpoint takes pushes from nobody else. */
export const OwnVapidKeys = z.object({ publicKey: z.string(), privateKey: z.string() });
export type OwnVapidKeys = z.infer<typeof OwnVapidKeys>;

interface SelfAddress {
  readonly endpoint: string;
  readonly keys: { readonly publicKey: string; readonly auth: string };
}

const TTL_SECONDS = 60;
const TOKEN_LIFE_SECONDS = 600;
const RECORD_BYTES = 4096;
/** RFC 8188 section 2: the delimiter of the last record. */
const LAST_RECORD = Buffer.from([2]);

export function createOwnVapidKeys(): OwnVapidKeys {
  const ecdh = createECDH('prime256v1');
  const publicKey = ecdh.generateKeys('base64url');
  return { publicKey, privateKey: padded(ecdh.getPrivateKey()).toString('base64url') };
}

/**
 * Posts one encrypted push to our own endpoint, as any sender of Web Push does (RFC 8030, 8291, 8292). True: the push
 * service has taken it, which proves nothing.
 */
export async function pushToSelf(
  clear: string,
  to: SelfAddress,
  vapid: OwnVapidKeys & { readonly subject: string; readonly nowMs: number },
  signal: AbortSignal,
): Promise<boolean> {
  const response = await fetch(to.endpoint, {
    method: 'POST',
    headers: {
      authorization: vapidHeader(new URL(to.endpoint).origin, vapid),
      'content-encoding': 'aes128gcm',
      'content-type': 'application/octet-stream',
      ttl: String(TTL_SECONDS),
      urgency: 'high',
    },
    body: new Uint8Array(encrypt(Buffer.from(clear), to.keys)),
    signal,
  });
  await response.body?.cancel();
  return response.ok;
}

function vapidHeader(
  origin: string,
  vapid: OwnVapidKeys & { readonly subject: string; readonly nowMs: number },
): string {
  const point = Buffer.from(vapid.publicKey, 'base64url');
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
      d: vapid.privateKey,
    },
  });
  const exp = Math.floor(vapid.nowMs / 1000) + TOKEN_LIFE_SECONDS;
  const text = [
    { typ: 'JWT', alg: 'ES256' },
    { aud: origin, exp, sub: vapid.subject },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `vapid t=${text}.${signature.toString('base64url')}, k=${vapid.publicKey}`;
}

/** RFC 8291 section 3.4: one record of aes128gcm. */
function encrypt(clear: Buffer, { publicKey, auth }: SelfAddress['keys']): Buffer {
  const ecdh = createECDH('prime256v1');
  const senderKey = ecdh.generateKeys();
  const receiverKey = Buffer.from(publicKey, 'base64url');
  const secret = padded(ecdh.computeSecret(receiverKey));
  const salt = randomBytes(16);
  const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0'), receiverKey, senderKey]);
  const inputKey = hkdf(secret, Buffer.from(auth, 'base64url'), keyInfo, 32);
  const contentKey = hkdf(inputKey, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = hkdf(inputKey, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const cipher = createCipheriv('aes-128-gcm', contentKey, nonce);
  const record = Buffer.concat([cipher.update(clear), cipher.update(LAST_RECORD), cipher.final()]);
  const recordSize = Buffer.alloc(4);
  recordSize.writeUInt32BE(RECORD_BYTES);
  const head = [salt, recordSize, Buffer.from([senderKey.length]), senderKey];
  return Buffer.concat([...head, record, cipher.getAuthTag()]);
}

function hkdf(key: Buffer, salt: Buffer, info: Buffer, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, bytes));
}

/** Leading zeros are not part of what Node returns. */
function padded(scalar: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(32 - scalar.length), scalar]);
}
