import { type DeviceKeys, type FreshKeys, makeRecord } from './prepared/prepared-record.ts';
import { RECORD_BYTES } from './prepared/record-layout.ts';
import { nodeSealer } from './seal/node-sealer.ts';
import { type PushPayload, pushPayload } from './seal/push-payload.ts';

export { MAX_CLEAR_BYTES } from './seal/push-payload.ts';

/**
 * Encrypts for one device (RFC 8291 over RFC 8188, aes128gcm) with a key pair and salt of its own, all of it now.
 * Undefined when the device's key is not a point of the curve. Throws RangeError for a text that is too large.
 */
export function encryptPush(
  clear: Buffer,
  device: DeviceKeys,
  fresh?: FreshKeys,
): Buffer | undefined {
  const payload: PushPayload | undefined = pushPayload(clear);
  if (payload === undefined) throw new RangeError('the text is too large for a push message');
  const record = Buffer.alloc(RECORD_BYTES);
  if (!makeRecord(device, record, fresh)) return undefined;
  const body = Buffer.allocUnsafe(payload.sealedBytes);
  nodeSealer.seal(record, payload, body, 0);
  return body;
}
