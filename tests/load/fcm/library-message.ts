import type { TokenMessage } from 'firebase-admin/messaging';
import type { OutgoingMessage } from '../../../services/dispatcher/transports/transport.ts';
import { TTL_MS } from '../bench-messages.ts';

/** The same request as ours, in firebase-admin's words. */
export function libraryMessage(alert: OutgoingMessage, token: string): TokenMessage {
  return {
    token,
    android: { priority: 'high', ttl: TTL_MS },
    data: { alert: alert.signedMessage, via: alert.via },
    apns: {
      headers: apnsHeaders(alert),
      payload: {
        aps: {
          alert: { title: alert.title, body: alert.body },
          mutableContent: true,
          'interruption-level': 'time-sensitive',
          sound: 'default',
        },
      },
    },
  };
}

/** The same as FCM's own JSON, for packages that pass it on as it is; the token is theirs to add. */
export function plainMessage(alert: OutgoingMessage): object {
  return {
    android: { priority: 'high', ttl: `${TTL_MS / 1000}s` },
    data: { alert: alert.signedMessage, via: alert.via },
    apns: {
      headers: apnsHeaders(alert),
      payload: {
        aps: {
          alert: { title: alert.title, body: alert.body },
          'mutable-content': 1,
          'interruption-level': 'time-sensitive',
          sound: 'default',
        },
      },
    },
  };
}

function apnsHeaders(alert: OutgoingMessage): Record<string, string> {
  return {
    'apns-push-type': 'alert',
    'apns-priority': '10',
    'apns-expiration': String(Math.floor(alert.expiresAtMs / 1000)),
    'apns-collapse-id': alert.tag,
  };
}
