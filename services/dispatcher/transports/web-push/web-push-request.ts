import { encodePushPayload } from '../../../../shared/envelope/push-payload.ts';
import type { OutgoingMessage } from '../transport.ts';

/** The clear text of a push message: the same bytes for every device. */
export function clearPayload(message: OutgoingMessage): Buffer {
  return Buffer.from(encodePushPayload({ alert: message.signedMessage, via: message.via }));
}

/**
 * Headers of RFC 8030, 8188 and 8292. There is no `Topic`: some services count it as a collapse key and then hold
 * messages back for minutes.
 */
export function pushHeaders(options: {
  authorization: string;
  ttlSeconds: number;
  quiet: boolean;
}): Record<string, string> {
  return {
    authorization: options.authorization,
    ttl: String(options.ttlSeconds),
    urgency: options.quiet ? 'normal' : 'high',
    'content-encoding': 'aes128gcm',
    'content-type': 'application/octet-stream',
  };
}
