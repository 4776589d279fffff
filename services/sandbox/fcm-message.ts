import { z } from 'zod';
import { FcmAddress } from '../../shared/subscription/subscription.ts';

/** FCM: data and notification together, in bytes (firebase.google.com, "About FCM messages"). */
export const MAX_FCM_BYTES = 4096;

/** Four weeks: the longest time to live, and the one of a message that names none. */
const MAX_FCM_TTL_SECONDS = 2_419_200;

const RESERVED_KEY = /^(?:from|message_type|gcm\..*|google\..*)$/;

const Data = z.record(
  z.string().refine((key) => !RESERVED_KEY.test(key), 'Invalid data payload key'),
  z.string(),
);

const Duration = z
  .string()
  .regex(/^\d{1,10}(?:\.\d{1,9})?s$/, "Illegal duration format; duration must end with 's'")
  .refine((text) => Number.parseFloat(text) <= MAX_FCM_TTL_SECONDS, 'Invalid ttl');

const Notification = z.strictObject({
  title: z.string().optional(),
  body: z.string().optional(),
  image: z.string().optional(),
});

const AndroidConfig = z.strictObject({
  collapse_key: z.string().optional(),
  priority: z.enum(['NORMAL', 'HIGH', 'normal', 'high']).optional(),
  ttl: Duration.optional(),
  restricted_package_name: z.string().optional(),
  data: Data.optional(),
  notification: z.looseObject({}).optional(),
  fcm_options: z.looseObject({}).optional(),
  direct_boot_ok: z.boolean().optional(),
});

const ApnsConfig = z.strictObject({
  headers: z.record(z.string(), z.string()).optional(),
  payload: z.looseObject({ aps: z.looseObject({}).optional() }).optional(),
  fcm_options: z.looseObject({}).optional(),
  live_activity_token: z.string().optional(),
});

/** The request of messages:send, as FCM's reference writes it (fcm/rest/v1/projects.messages). */
export const SendRequest = z.strictObject({
  validate_only: z.boolean().optional(),
  message: z
    .strictObject({
      name: z.string().optional(),
      token: FcmAddress.shape.token.optional(),
      topic: z
        .string()
        .regex(/^[a-zA-Z0-9-_.~%]{1,900}$/, 'Invalid topic name')
        .optional(),
      condition: z.string().optional(),
      data: Data.optional(),
      notification: Notification.optional(),
      android: AndroidConfig.optional(),
      apns: ApnsConfig.optional(),
      webpush: z.looseObject({}).optional(),
      fcm_options: z.looseObject({}).optional(),
    })
    .refine(
      ({ token, topic, condition }) =>
        [token, topic, condition].filter((target) => target !== undefined).length === 1,
      'Exactly one of token, topic or condition is required',
    ),
});
export type SendRequest = z.infer<typeof SendRequest>;
export type FcmMessage = SendRequest['message'];

/** What counts against the size limit: keys and texts of data and notification. */
export function messageBytes(message: FcmMessage): number {
  const parts = [message.data, message.android?.data, message.notification];
  return parts
    .flatMap((part) => Object.entries(part ?? {}))
    .reduce(
      (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value ?? ''),
      0,
    );
}

/** Seconds that a message waits for a device that is away; 0 means now or never. */
export function ttlSecondsOf(message: FcmMessage): number {
  const { ttl } = message.android ?? {};
  return ttl === undefined ? MAX_FCM_TTL_SECONDS : Number.parseFloat(ttl);
}
