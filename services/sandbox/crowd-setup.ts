import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { AreaCode } from '../../shared/alert/area.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { KeySet } from '../../shared/envelope/key-set.ts';
import { Subscription } from '../../shared/subscription/subscription.ts';
import { createReceiverKeys, type ReceiverKeys } from '../../shared/web-push/decrypt.ts';
import { createFcmToken } from './fcm-devices.ts';
import { isApplicationServerKey } from './vapid.ts';
import { createEndpointToken } from './web-push-receivers.ts';

const MAX_CROWD_DEVICES = 20_000;

/** Body of POST /crowds. */
export const CrowdSetup = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'use a-z, 0-9 and -'),
  areas: z
    .array(z.strictObject({ code: AreaCode, count: z.int().min(1).max(MAX_CROWD_DEVICES) }))
    .min(1)
    .max(500)
    .refine(
      (areas) => areas.reduce((sum, { count }) => sum + count, 0) <= MAX_CROWD_DEVICES,
      `a crowd has at most ${MAX_CROWD_DEVICES} devices: make several`,
    ),
  /** Share of each area's devices that are reached by FCM; the others by Web Push. */
  fcmShare: z.number().min(0).max(1),
  language: Subscription.shape.language,
  /** Where devices send their receipts; without it they send none. */
  edgeUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** This share of the messages is answered with a receipt. */
  receiptShare: z.number().min(0).max(1).default(1),
  /** Keys that the devices trust. */
  keySet: KeySet,
  /** The sender's VAPID key; without it the endpoints take any sender (give it: then a wrong key shows). */
  vapidPublicKey: z
    .string()
    .refine(isApplicationServerKey, 'must be an uncompressed P-256 point as base64url')
    .optional(),
});
export type CrowdSetup = z.infer<typeof CrowdSetup>;

/** A simulated device as it is kept. */
export interface CrowdDeviceRecord {
  readonly deviceId: string;
  readonly areaCode: string;
  readonly transport: TransportKind;
  /** FCM registration token, or the last part of the endpoint. */
  readonly token: string;
  /** Web Push only. */
  readonly keys: ReceiverKeys | undefined;
}

/** Two setups that want the same devices; trusted keys and receipts may change between two starts. */
export function wantsSameDevices(a: CrowdSetup, b: CrowdSetup): boolean {
  const shape = ({ areas, fcmShare, language, vapidPublicKey }: CrowdSetup) =>
    JSON.stringify([areas, fcmShare, language, vapidPublicKey]);
  return shape(a) === shape(b);
}

/** Makes the devices of a crowd with real keys, a few hundred for each turn of the event loop. */
export async function makeCrowdDevices(setup: CrowdSetup): Promise<CrowdDeviceRecord[]> {
  const records: CrowdDeviceRecord[] = [];
  for (const { code, count } of setup.areas) {
    const fcmCount = Math.round(count * setup.fcmShare);
    for (let i = 0; i < count; i++) {
      const isFcm = i < fcmCount;
      records.push({
        deviceId: randomBytes(16).toString('base64url'),
        areaCode: code,
        transport: isFcm ? 'fcm' : 'web-push',
        token: isFcm ? createFcmToken() : createEndpointToken(),
        keys: isFcm ? undefined : createReceiverKeys(),
      });
      if (records.length % 200 === 0) await nextTurn();
    }
  }
  return records;
}

/** What a device would tell the edge to be registered. */
export function subscriptionOf(
  device: CrowdDeviceRecord,
  language: string,
  origin: string,
): Subscription {
  const address: Subscription['address'] = device.keys
    ? {
        transport: 'web-push',
        endpoint: `${origin}/wpush/v2/${device.token}`,
        keys: { p256dh: device.keys.publicKey, auth: device.keys.auth },
      }
    : { transport: 'fcm', token: device.token };
  return {
    deviceId: device.deviceId,
    address,
    areaCodes: [device.areaCode],
    language,
    appVersion: 'simulated',
  };
}
