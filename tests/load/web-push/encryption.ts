import webpush from 'web-push';
import type { OutgoingMessage } from '../../../services/dispatcher/transports/transport.ts';
import { encryptPush } from '../../../services/dispatcher/transports/web-push/encrypt.ts';
import { createVapidHeaders } from '../../../services/dispatcher/transports/web-push/vapid.ts';
import { createPushHeaders } from '../../../services/dispatcher/transports/web-push/web-push-request.ts';
import { systemClock } from '../../../shared/time/clock.ts';
import { benchMessage, clearTextOf, type Payload, TTL_MS } from '../bench-messages.ts';
import type { Contender } from '../contest/contender.ts';
import {
  type BenchDevice,
  checkReadable,
  createDevices,
  createVapidKeys,
} from './bench-devices.ts';

/** What may be sent: the record and the header that names the sender. */
interface Encrypted {
  readonly body: Buffer;
  readonly authorization: string;
}

/** Everything between "this device" and "these bytes may be sent". */
type Encrypt = (
  device: BenchDevice,
  clear: Buffer,
  message: OutgoingMessage,
) => Encrypted | Promise<Encrypted>;

const TTL_SECONDS = TTL_MS / 1000;
const ORIGIN = 'https://push.example';
/** RFC 8292, and the scheme of its drafts. */
const AUTHORISATION = /^(?:vapid t=.+, ?k=.+|WebPush .+)$/;

/** The package as its manual shows it: a token signed for every message. */
export function libraryEncryption(payload: Payload): Promise<Contender> {
  const vapidDetails = createVapidKeys();
  return contender(payload, (device, clear) => {
    const details = webpush.generateRequestDetails(device, clear, {
      vapidDetails,
      TTL: TTL_SECONDS,
      urgency: 'high',
    });
    return { body: details.body, authorization: String(details.headers['Authorization']) };
  });
}

/** The package's encryption alone, with our cached token: tells how much of the difference the token is. */
export function libraryEncryptionCachedVapid(payload: Payload): Promise<Contender> {
  const authorizationFor = createVapidHeaders(createVapidKeys(), { clock: systemClock });
  return contender(payload, (device, clear) => {
    const details = webpush.generateRequestDetails(device, clear, {
      headers: { Authorization: authorizationFor(ORIGIN) },
      TTL: TTL_SECONDS,
      urgency: 'high',
    });
    return { body: details.body, authorization: String(details.headers['Authorization']) };
  });
}

/** @block65/webcrypto-web-push as its manual shows it; it pads every record to 4,096 bytes. */
export async function block65Encryption(payload: Payload): Promise<Contender> {
  const { buildPushPayload } = await import('@block65/webcrypto-web-push');
  const vapid = createVapidKeys();
  return contender(payload, async (device, clear) => {
    const { headers, body } = await buildPushPayload(
      { data: clear.toString('latin1'), options: { ttl: TTL_SECONDS, urgency: 'high' } },
      device,
      vapid,
    );
    return { body: Buffer.from(body), authorization: headers.authorization };
  });
}

/**
 * @pushforge/builder as its manual shows it. It encrypts as drafts of RFC 8291 did (`aesgcm`), which our receivers do not
 * read: of its work only the size is checked.
 */
export async function pushforgeEncryption(payload: Payload): Promise<Contender> {
  const { buildPushHTTPRequest } = await import('@pushforge/builder');
  const keys = createVapidKeys();
  const point = Buffer.from(keys.publicKey, 'base64url');
  const privateJWK = {
    ...{ kty: 'EC', crv: 'P-256', d: keys.privateKey },
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  const encrypt: Encrypt = async (device, clear) => {
    const { headers, body } = await buildPushHTTPRequest({
      privateJWK,
      subscription: device,
      message: {
        payload: JSON.parse(clear.toString('utf8')),
        adminContact: keys.subject,
        options: { ttl: TTL_SECONDS, urgency: 'high' },
      },
    });
    const authorization = new Headers(headers).get('authorization') ?? '';
    return { body: Buffer.from(body), authorization };
  };
  return contender(payload, encrypt, (_device, body, clear) => {
    if (body.length < clear.length) throw new Error('the message is not in it');
  });
}

/** Our own encryption when nothing was prepared: a fresh key pair for each message, at alert time. */
export function ownFresh(payload: Payload): Promise<Contender> {
  const headersFor = createPushHeaders(
    createVapidHeaders(createVapidKeys(), { clock: systemClock }),
  );
  return contender(payload, (device, clear, message) => {
    const body = encryptPush(clear, {
      p256dh: Buffer.from(device.keys.p256dh, 'base64url'),
      auth: Buffer.from(device.keys.auth, 'base64url'),
    });
    if (body === undefined) throw new Error('a fresh key was not taken');
    const headers = headersFor(ORIGIN, message, TTL_SECONDS);
    return { body, authorization: headers['authorization'] ?? '' };
  });
}

async function contender(
  payload: Payload,
  encrypt: Encrypt,
  checkBody = checkReadable,
): Promise<Contender> {
  const devices = createDevices(ORIGIN);
  const message = await benchMessage(payload);
  const clear = clearTextOf(message);
  return {
    run: async (messages) => {
      let last: { device: BenchDevice; encrypted: Encrypted } | undefined;
      for (let i = 0; i < messages; i++) {
        const device = devices[i % devices.length];
        if (!device) continue;
        const made = encrypt(device, clear, message);
        last = { device, encrypted: made instanceof Promise ? await made : made };
      }
      if (last) {
        checkBody(last.device, last.encrypted.body, clear);
        if (!AUTHORISATION.test(last.encrypted.authorization))
          throw new Error('no authorisation was made');
      }
      return undefined;
    },
    close: () => Promise.resolve(),
  };
}
