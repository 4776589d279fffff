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
  /** The message was accepted and nobody has its bytes any more: their memory may be used again. */
  recycle(payload: PushPayload, body: Buffer): void;
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

  return {
    counts,
    encrypt(payload, keys) {
      const before = kept.size === 0 ? undefined : kept.take(payload, keys);
      if (before !== undefined) {
        counts.kept++;
        return before;
      }
      if (!getRecord(keys)) return undefined;
      const body = payload.spare.pop() ?? Buffer.allocUnsafe(payload.sealedBytes);
      try {
        sealer.seal(record, payload, body, 0);
      } finally {
        wipeSecrets(record);
      }
      return body;
    },
    recycle: (payload, body) => void payload.spare.push(body),
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
