import type { WebPushAddress } from '../../../../shared/subscription/subscription.ts';
import { encryptPush } from './encrypt.ts';

/** Encrypts for a device with keys that are made on the spot. Undefined when the device's keys are none. */
export function sealFresh(payload: Buffer, address: WebPushAddress): Buffer | undefined {
  return encryptPush(payload, {
    p256dh: Buffer.from(address.keys.p256dh, 'base64url'),
    auth: Buffer.from(address.keys.auth, 'base64url'),
  });
}
