import { randomBytes } from 'node:crypto';
import type { Delivered } from './fcm-devices.ts';

/** A message on its way to one subscription, still encrypted. */
export interface WebPushDelivery {
  readonly version: string;
  /** Empty when the sender sent none. */
  readonly body: Buffer;
  /** 0: now or never. */
  readonly ttlSeconds: number;
  readonly expiresMs: number;
  readonly topic: string | undefined;
}

/** Where messages for one endpoint go. */
export interface WebPushReceiver {
  /** Public key that the subscription was made with; undefined: it takes any sender. */
  readonly vapidKey: string | undefined;
  readonly deliver: (message: WebPushDelivery) => Delivered;
}

type WebPushLookup =
  | { readonly kind: 'found'; readonly receiver: WebPushReceiver }
  | { readonly kind: 'gone'; readonly reason: 'unregistered' | 'user-reset' };

/** Undefined when this service never gave out the endpoint. */
export type FindWebPushReceiver = (token: string) => WebPushLookup | undefined;

/** The last part of an endpoint. */
export function createEndpointToken(): string {
  return `gAAAAA${randomBytes(42).toString('base64url')}`;
}
