import { createCipheriv, createSecretKey } from 'node:crypto';
import {
  HEADER_BYTES,
  KEY_AT,
  NONCE_AT,
  RECORD_BYTES,
  wipeSecrets,
} from '../prepared/record-layout.ts';
import { checkRoom, type Sealer } from './sealer.ts';

/**
 * Seals with OpenSSL: a fixed cost for each message, and next to nothing for each byte. The key becomes a KeyObject,
 * because with a bare Buffer Node 24 takes three times as long.
 */
export const nodeSealer: Sealer = {
  seal(record, payload, target, at) {
    checkRoom(payload, target, at);
    const key = createSecretKey(record.subarray(KEY_AT, NONCE_AT));
    const cipher = createCipheriv('aes-128-gcm', key, record.subarray(NONCE_AT, RECORD_BYTES));
    target.set(record.subarray(0, HEADER_BYTES), at);
    const body = cipher.update(payload.clear);
    cipher.final();
    target.set(body, at + HEADER_BYTES);
    target.set(cipher.getAuthTag(), at + HEADER_BYTES + body.length);
    wipeSecrets(record);
  },
};
