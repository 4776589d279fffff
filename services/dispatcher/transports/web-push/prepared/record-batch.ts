import { makeRecord } from './prepared-record.ts';
import { RECORD_BYTES } from './record-layout.ts';

/**
 * What goes to the worker and comes back in the same memory, which is handed over, not copied: one slot for each
 * subscription, first with its keys (65 and 16 bytes), then with its record.
 */
export const BATCH_SLOT_BYTES = 128;
const AUTH_AT = 65;
const KEYS_BYTES = AUTH_AT + 16;
/** 1 when the slot's record was made. */
const MADE_AT = BATCH_SLOT_BYTES - 1;

/** False when the keys have not the right lengths. */
export function writeKeys(
  batch: Buffer,
  slot: number,
  { p256dh, auth }: { p256dh: Buffer; auth: Buffer },
): boolean {
  if (p256dh.length !== AUTH_AT || auth.length !== KEYS_BYTES - AUTH_AT) return false;
  const at = slot * BATCH_SLOT_BYTES;
  batch.fill(0, at, at + BATCH_SLOT_BYTES);
  batch.set(p256dh, at);
  batch.set(auth, at + AUTH_AT);
  return true;
}

/** Makes the records of the first `count` slots in the place of the keys. */
export function makeRecords(batch: Buffer, count: number): void {
  const keys = Buffer.alloc(KEYS_BYTES);
  const device = { p256dh: keys.subarray(0, AUTH_AT), auth: keys.subarray(AUTH_AT) };
  for (let slot = 0; slot < count; slot++) {
    const at = slot * BATCH_SLOT_BYTES;
    batch.copy(keys, 0, at, at + KEYS_BYTES);
    const record = batch.subarray(at, at + RECORD_BYTES);
    batch[at + MADE_AT] = makeRecord(device, record) ? 1 : 0;
  }
}

/** A slot's record, in the batch's own memory; undefined when its keys were not valid. */
export function recordIn(batch: Buffer, slot: number): Buffer | undefined {
  const at = slot * BATCH_SLOT_BYTES;
  return batch[at + MADE_AT] === 1 ? batch.subarray(at, at + RECORD_BYTES) : undefined;
}
