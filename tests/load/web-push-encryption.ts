import { randomBytes } from 'node:crypto';
import webpush from 'web-push';
import { encryptPush } from '../../services/dispatcher/transports/web-push/encrypt.ts';
import { createVapidHeaders } from '../../services/dispatcher/transports/web-push/vapid.ts';
import { pushHeaders } from '../../services/dispatcher/transports/web-push/web-push-request.ts';
import { systemClock } from '../../shared/time/clock.ts';
import {
  createReceiverKeys,
  decryptWebPush,
  type ReceiverKeys,
} from '../../shared/web-push/decrypt.ts';
import type { Contender } from './contender.ts';

interface Device {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
  readonly receiver: ReceiverKeys;
}

interface Encrypted {
  readonly body: Buffer;
  readonly authorization: string;
}

const DEVICES = 1_000;
/** About what a signed alert in one language takes. */
const CLEAR_BYTES = 1_000;
const TTL_SECONDS = 3_600;

/** Everything between "this device" and "these bytes may be sent". */
type Encrypt = (device: Device, clear: Buffer) => Encrypted;

/** The package as its manual shows it: a token signed for every message. */
export async function libraryEncryption(): Promise<Contender> {
  const vapidDetails = { subject: 'mailto:bench@alerte.example', ...webpush.generateVAPIDKeys() };
  return contender((device, clear) => {
    const details = webpush.generateRequestDetails(device, clear, {
      vapidDetails,
      TTL: TTL_SECONDS,
      urgency: 'high',
    });
    return { body: details.body, authorization: String(details.headers['Authorization']) };
  });
}

/** The package's encryption alone, with our cached token: tells how much of the difference the token is. */
export async function libraryEncryptionCachedVapid(): Promise<Contender> {
  const authorizationFor = vapidHeaders();
  return contender((device, clear) => {
    const details = webpush.generateRequestDetails(device, clear, {
      headers: { Authorization: authorizationFor(new URL(device.endpoint).origin) },
      TTL: TTL_SECONDS,
      urgency: 'high',
    });
    return { body: details.body, authorization: String(details.headers['Authorization']) };
  });
}

/** What the Web Push transport does before it has to wait for the network. */
export async function ownEncryption(): Promise<Contender> {
  const authorizationFor = vapidHeaders();
  return contender((device, clear) => {
    const body = encryptPush(clear, {
      p256dh: Buffer.from(device.keys.p256dh, 'base64url'),
      auth: Buffer.from(device.keys.auth, 'base64url'),
    });
    if (body === undefined) throw new Error('a fresh key was not taken');
    const authorization = authorizationFor(new URL(device.endpoint).origin);
    const headers = pushHeaders({ authorization, ttlSeconds: TTL_SECONDS, quiet: false });
    return { body, authorization: String(headers['authorization']) };
  });
}

function vapidHeaders() {
  const keys = { subject: 'mailto:bench@alerte.example', ...webpush.generateVAPIDKeys() };
  return createVapidHeaders(keys, { clock: systemClock });
}

function contender(encrypt: Encrypt): Contender {
  const devices = Array.from({ length: DEVICES }, createDevice);
  const clear = Buffer.from(randomBytes(CLEAR_BYTES).toString('base64url').slice(0, CLEAR_BYTES));
  return {
    run: async (messages) => {
      let last: { device: Device; encrypted: Encrypted } | undefined;
      for (let i = 0; i < messages; i++) {
        const device = devices[i % DEVICES];
        if (device) last = { device, encrypted: encrypt(device, clear) };
      }
      if (last) check(last.device, last.encrypted, clear);
    },
    close: () => Promise.resolve(),
  };
}

/** The receiver reads it, and the sender is named: otherwise the time that it took means nothing. */
function check(device: Device, { body, authorization }: Encrypted, clear: Buffer): void {
  if (!decryptWebPush(body, device.receiver).equals(clear))
    throw new Error('the receiver reads something else');
  if (!/^vapid t=.+, ?k=.+$/.test(authorization)) throw new Error('no authorisation was made');
}

function createDevice(): Device {
  const receiver = createReceiverKeys();
  return {
    endpoint: `https://push.example/wpush/v2/${randomBytes(90).toString('base64url')}`,
    keys: { p256dh: receiver.publicKey, auth: receiver.auth },
    receiver,
  };
}
