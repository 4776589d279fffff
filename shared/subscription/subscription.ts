import { z } from 'zod';
import { AreaCode } from '../alert/area.ts';

/** 128 random bits, made on the device, as base64url: it says nothing about who or where. */
export const DeviceId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{22}$/, 'must be 128 random bits as base64url (22 characters)');

const base64urlOf = (bytes: number) =>
  z
    .string()
    .regex(
      new RegExp(`^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}$`),
      `must be ${bytes} bytes as base64url`,
    );

export const FcmAddress = z.strictObject({
  transport: z.literal('fcm'),
  /** FCM registration token. */
  token: z
    .string()
    .min(20)
    .max(400)
    .regex(/^[A-Za-z0-9:_-]+$/),
});

export const WebPushAddress = z.strictObject({
  transport: z.literal('web-push'),
  endpoint: z.url({ protocol: /^https$/ }).max(600),
  keys: z.strictObject({
    /** Uncompressed P-256 point (RFC 8291 section 3.1). */
    p256dh: base64urlOf(65),
    /** Authentication secret (RFC 8291 section 3.2). */
    auth: base64urlOf(16),
  }),
});

export const PushAddress = z.discriminatedUnion('transport', [FcmAddress, WebPushAddress]);
export type FcmAddress = z.infer<typeof FcmAddress>;
export type WebPushAddress = z.infer<typeof WebPushAddress>;
export type PushAddress = z.infer<typeof PushAddress>;

/** What a device asks for: no account, no position, no history; only where it wants to hear about. */
export const Subscription = z.strictObject({
  deviceId: DeviceId,
  address: PushAddress,
  areaCodes: z.array(AreaCode).min(1).max(20),
  language: z.string().regex(/^[a-z]{2,3}-[A-Z]{2}$/, 'must look like fr-FR'),
  appVersion: z.string().max(40),
});
export type Subscription = z.infer<typeof Subscription>;
