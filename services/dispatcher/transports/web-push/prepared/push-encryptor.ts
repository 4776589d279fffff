import type { PushPayload } from '../seal/push-payload.ts';
import type { Sealer } from '../seal/sealer.ts';
import type { WebPushKeys } from './fingerprint.ts';
import type { KeptBodies } from './kept-bodies.ts';
import { makeRecord } from './prepared-record.ts';
import type { PreparedStore } from './prepared-store.ts';
import { RECORD_BYTES, wipeSecrets } from './record-layout.ts';

/** How a message got its bytes. */
export const ENCRYPTION_WAYS = ['prepared', 'on_the_spot', 'kept'] as const;
export type EncryptionWay = (typeof ENCRYPTION_WAYS)[number];

/** Encrypts push messages, with a prepared record where there is one. */
export interface PushEncryptor {
  /** The message for one device. Undefined when the device's keys are not valid. */
  encrypt(payload: PushPayload, keys: WebPushKeys): Buffer | undefined;
  /**
   * The same, written into `target` from `at`: how many bytes, 0 when the device's keys are not valid. Throws RangeError
   * when there is not room for `payload.sealedBytes`.
   */
  encryptInto(payload: PushPayload, keys: WebPushKeys, target: Uint8Array, at: number): number;
  /** Keeps a message that was not accepted: the next `encrypt` of the same payload and keys gives the same bytes. */
  keepForRetry(payload: PushPayload, keys: WebPushKeys, body: Buffer): void;
  /** Messages since the start, by way. */
  readonly counts: Readonly<Record<EncryptionWay, number>>;
}

export interface PushEncryptorDeps {
  readonly store: PreparedStore;
  readonly sealer: Sealer;
  readonly kept: KeptBodies;
}

/** One encryptor for a node's Web Push messages. */
export function createPushEncryptor({ store, sealer, kept }: PushEncryptorDeps): PushEncryptor {
  const counts = { prepared: 0, on_the_spot: 0, kept: 0 };
  /** Where a record is between the store and the sealer; its secrets are wiped by the sealer. */
  const record = Buffer.alloc(RECORD_BYTES);

  const getRecord = (keys: WebPushKeys): boolean => {
    if (store.take(keys, record)) {
      counts.prepared++;
      return true;
    }
    const isMade = makeRecord(decodeKeys(keys), record);
    if (isMade) counts.on_the_spot++;
    return isMade;
  };
  const sealInto = (payload: PushPayload, target: Uint8Array, at: number): void => {
    try {
      sealer.seal(record, payload, target, at);
    } finally {
      wipeSecrets(record);
    }
  };
  const takeKept = (payload: PushPayload, keys: WebPushKeys): Buffer | undefined => {
    const body = kept.size === 0 ? undefined : kept.take(payload, keys);
    if (body !== undefined) counts.kept++;
    return body;
  };

  return {
    counts,
    encrypt(payload, keys) {
      const before = takeKept(payload, keys);
      if (before !== undefined) return before;
      if (!getRecord(keys)) return undefined;
      const body = Buffer.allocUnsafe(payload.sealedBytes);
      sealInto(payload, body, 0);
      return body;
    },
    encryptInto(payload, keys, target, at) {
      const before = takeKept(payload, keys);
      if (before !== undefined) target.set(before, at);
      else if (getRecord(keys)) sealInto(payload, target, at);
      else return 0;
      return payload.sealedBytes;
    },
    keepForRetry: (payload, keys, body) => kept.keep(payload, keys, body),
  };
}

/** The registry's base64url as bytes. */
export function decodeKeys(keys: WebPushKeys): { p256dh: Buffer; auth: Buffer } {
  return {
    p256dh: Buffer.from(keys.p256dh, 'base64url'),
    auth: Buffer.from(keys.auth, 'base64url'),
  };
}
