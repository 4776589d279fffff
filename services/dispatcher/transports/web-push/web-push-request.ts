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
  return (origin, message, ttlSeconds) => {
    let byOrigin = byMessage.get(message);
    if (byOrigin === undefined) {
      byOrigin = new Map();
      byMessage.set(message, byOrigin);
    }
    const authorization = vapidHeader(origin);
    const kept = byOrigin.get(origin);
    if (kept?.ttlSeconds === ttlSeconds && kept.authorization === authorization)
      return kept.headers;
    const headers = pushHeaders({ authorization, ttlSeconds, quiet: message.quiet });
    byOrigin.set(origin, { authorization, ttlSeconds, headers });
    return headers;
  };
}
