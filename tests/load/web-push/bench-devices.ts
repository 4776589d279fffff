import { randomBytes } from 'node:crypto';
import webpush from 'web-push';
import {
  createReceiverKeys,
  decryptWebPush,
  type ReceiverKeys,
} from '../../../shared/web-push/decrypt.ts';

/** A browser's subscription, with the private half of its keys. */
export interface BenchDevice {
  readonly endpoint: string;
  readonly expirationTime: null;
  readonly keys: { readonly p256dh: string; readonly auth: string };
  readonly receiver: ReceiverKeys;
}

/** Devices with keys of their own; more messages than devices go round. */
const DEVICES = 1_000;
const SUBJECT = 'mailto:bench@alerte.example';

/** Devices of one push service. */
export function createDevices(origin: string, count = DEVICES): BenchDevice[] {
  return Array.from({ length: count }, () => {
    const receiver = createReceiverKeys();
    return {
      endpoint: `${origin}/wpush/v2/${randomBytes(90).toString('base64url')}`,
      expirationTime: null,
      keys: { p256dh: receiver.publicKey, auth: receiver.auth },
      receiver,
    };
  });
}

export function createVapidKeys() {
  return { subject: SUBJECT, ...webpush.generateVAPIDKeys() };
}

/** The receiver reads what was sent: otherwise the time that it took means nothing. */
export function checkReadable(device: BenchDevice, body: Buffer, clear: Buffer): void {
  if (!decryptWebPush(body, device.receiver).equals(clear))
    throw new Error('the receiver reads something else');
}
