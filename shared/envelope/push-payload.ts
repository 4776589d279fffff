import { z } from 'zod';

/** The most that may reach a device, in bytes of clear text: autopush bridged to FCM takes 2,744 with encryption. */
export const MAX_DEVICE_BYTES = 2400;

/**
 * What a push carries: the signed device message and, outside the signature, the node that sent it (a hint for
 * statistics, never trusted). Web Push: this as JSON, encrypted. FCM: these two as `data`.
 */
export const PushPayload = z.strictObject({
  alert: z.string().max(MAX_DEVICE_BYTES),
  via: z.string().regex(/^[a-z0-9-]{1,16}$/),
});
export type PushPayload = z.infer<typeof PushPayload>;

/** Node names are at most this long; the size check at ingest reserves the room. */
const LONGEST_NODE_NAME = 'n'.repeat(16);

/** The JSON that is encrypted for Web Push. */
export function encodePushPayload(payload: PushPayload): string {
  return JSON.stringify({ alert: payload.alert, via: payload.via });
}

/** Bytes that a signed device message takes on its way to a device, whatever node sends it. */
export function pushPayloadBytes(signedMessage: string): number {
  return encodePushPayload({ alert: signedMessage, via: LONGEST_NODE_NAME }).length;
}
