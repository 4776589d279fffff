import { encodePushPayload } from '../../../../shared/envelope/push-payload.ts';
import type { SharedHeaders } from '../post-client.ts';
import type { OutgoingMessage } from '../transport.ts';

/** The clear text of a push message: the same bytes for every device. */
export function clearPayload(message: OutgoingMessage): Buffer {
  return Buffer.from(encodePushPayload({ alert: message.signedMessage, via: message.via }));
}

/**
 * Headers of RFC 8030, 8188 and 8292. There is no `Topic`: some services count it as a collapse key and then hold
 * messages back for minutes.
 */
function pushHeaders(options: {
  authorization: string;
  ttlSeconds: number;
  quiet: boolean;
}): SharedHeaders {
  return {
    authorization: options.authorization,
    ttl: String(options.ttlSeconds),
    urgency: options.quiet ? 'normal' : 'high',
    'content-encoding': 'aes128gcm',
    'content-type': 'application/octet-stream',
  };
}

interface Kept {
  readonly message: OutgoingMessage;
  readonly origin: string;
  readonly authorization: string;
  readonly ttlSeconds: number;
  readonly headers: SharedHeaders;
}

/**
 * The headers of a message to an origin: one object for all that go out within the same second (the TTL counts in
 * seconds) with the same VAPID token.
 */
export function createPushHeaders(
  vapidHeader: (origin: string) => string,
): (origin: string, message: OutgoingMessage, ttlSeconds: number) => SharedHeaders {
  const byMessage = new WeakMap<OutgoingMessage, Map<string, Kept>>();
  const keptOf = (origin: string, message: OutgoingMessage): Kept | undefined => {
    // Most go where the one before went.
    if (last?.message === message && last.origin === origin) return last;
    return byMessage.get(message)?.get(origin);
  };
  let last: Kept | undefined;
  return (origin, message, ttlSeconds) => {
    const authorization = vapidHeader(origin);
    const kept = keptOf(origin, message);
    if (kept?.ttlSeconds === ttlSeconds && kept.authorization === authorization) {
      last = kept;
      return kept.headers;
    }
    const headers = pushHeaders({ authorization, ttlSeconds, quiet: message.quiet });
    last = { message, origin, authorization, ttlSeconds, headers };
    const byOrigin = byMessage.get(message) ?? new Map<string, Kept>();
    byMessage.set(message, byOrigin.set(origin, last));
    return headers;
  };
}
