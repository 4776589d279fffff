import { createHash } from 'node:crypto';
import type { OutgoingMessage } from '../transport.ts';
import { MAX_TTL_SECONDS } from '../ttl.ts';

/** FCM and APNs: a payload is at most 4,096 bytes. */
const MAX_MESSAGE_BYTES = 4096;
/** What stands around a message and its token, which is no part of the payload. */
const WRAPPER_BYTES = '{"message":{"token":""}}'.length;
/** A title that is longer does not fit on a lock screen; the room is the body's. */
const MAX_TITLE_BYTES = 200;
/** APNs: "apns-collapse-id" is at most 64 bytes. */
const MAX_COLLAPSE_ID_BYTES = 64;
/** Room for `"ttl":"2419200s"` beside what is measured. */
const LONGEST_TTL = `${MAX_TTL_SECONDS}s`;

/** The parts of a request's JSON around the two things that differ from send to send. */
export interface FcmTemplate {
  readonly beforeToken: Buffer;
  readonly beforeTtl: string;
  readonly afterTtl: string;
  /** All that follows the token, for one TTL: the same for everything that goes out within a second. */
  tail: { readonly ttl: number; readonly bytes: Buffer };
}

/**
 * Serialises a message once for all its devices. Undefined when the signed message is so long that not even an empty
 * iOS text fits.
 */
export function fcmTemplate(message: OutgoingMessage): FcmTemplate | undefined {
  const title = cutToJsonBytes(message.title, MAX_TITLE_BYTES);
  const withoutBody = messageJson(message, { title, body: '' }, LONGEST_TTL);
  const room = MAX_MESSAGE_BYTES - WRAPPER_BYTES - Buffer.byteLength(withoutBody);
  if (room < 0) return undefined;
  const text = { title, body: cutToJsonBytes(message.body, room) };
  const marker = '\u0000';
  const json = messageJson(message, text, marker);
  const escapedMarker = JSON.stringify(marker).slice(1, -1);
  const at = json.indexOf(`"ttl":"${escapedMarker}"`) + '"ttl":"'.length;
  return {
    beforeToken: BEFORE_TOKEN,
    beforeTtl: `",${json.slice(1, at)}`,
    afterTtl: `s${json.slice(at + escapedMarker.length)}}`,
    tail: { ttl: -1, bytes: Buffer.alloc(0) },
  };
}

const BEFORE_TOKEN = Buffer.from('{"message":{"token":"');
/** A token that stands in JSON as it is: all of Firebase's. */
const PLAIN_TOKEN = /^[\w:.-]+$/;

/** What stands before the token's end in one `messages:send`. */
export function fcmHead({ beforeToken }: FcmTemplate, token: string): Buffer {
  if (!PLAIN_TOKEN.test(token))
    return Buffer.concat([beforeToken, Buffer.from(JSON.stringify(token).slice(1, -1))]);
  const head = Buffer.allocUnsafe(beforeToken.length + token.length);
  head.set(beforeToken, 0);
  head.write(token, beforeToken.length, 'latin1');
  return head;
}

/** What stands behind the token: the same bytes for all within a second. `ttl` in seconds. */
export function fcmTail(template: FcmTemplate, ttl: number): Buffer {
  if (template.tail.ttl !== ttl)
    template.tail = { ttl, bytes: Buffer.from(template.beforeTtl + ttl + template.afterTtl) };
  return template.tail.bytes;
}

/**
 * A **data** message for Android (FCM collapses and throttles its notification messages) and an alert for iOS that our
 * extension may replace after verification. `android` comes first, so that its `ttl` is the first one in the text.
 */
function messageJson(
  message: OutgoingMessage,
  text: { title: string; body: string },
  ttl: string,
): string {
  return JSON.stringify({
    android: { ttl, priority: 'high' },
    data: { alert: message.signedMessage, via: message.via },
    apns: {
      headers: {
        'apns-push-type': 'alert',
        'apns-priority': message.quiet ? '5' : '10',
        'apns-expiration': String(Math.floor(message.expiresAtMs / 1000)),
        'apns-collapse-id': collapseId(message.tag),
      },
      payload: {
        aps: {
          alert: text,
          'mutable-content': 1,
          'interruption-level': message.quiet ? 'passive' : 'time-sensitive',
          ...(message.quiet ? {} : { sound: 'default' }),
        },
      },
    },
  });
}

function collapseId(tag: string): string {
  if (Buffer.byteLength(tag) <= MAX_COLLAPSE_ID_BYTES) return tag;
  return createHash('sha256').update(tag).digest('base64url');
}

const ELLIPSIS = '…';

/** Cuts a text between characters so that it takes at most `maxBytes` inside a JSON string. */
export function cutToJsonBytes(text: string, maxBytes: number): string {
  const size = (part: string) => Buffer.byteLength(JSON.stringify(part)) - 2;
  if (size(text) <= maxBytes) return text;
  let left = maxBytes - size(ELLIPSIS);
  if (left < 0) return '';
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text.toWellFormed())) {
    left -= size(segment);
    if (left < 0) break;
    kept += segment;
  }
  return `${kept.trimEnd()}${ELLIPSIS}`;
}
