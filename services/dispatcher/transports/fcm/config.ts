import { z } from 'zod';
import { httpsOrigin } from '../origin.ts';
import { GOOGLE_OAUTH_ORIGIN } from './firebase-credential.ts';

/** The FCM transport's environment variables, to be spread into the dispatcher's schema. */
export const fcmEnv = {
  FCM_PROJECT_ID: z
    .string()
    .regex(/^[a-z0-9.:-]{4,64}$/, 'must be a Firebase project id, such as tocsin-06'),
  /** Path of the service account's JSON key file. */
  FCM_CREDENTIALS_FILE: z.string().min(1),
  FCM_ORIGIN: httpsOrigin.default('https://fcm.googleapis.com'),
  OAUTH_ORIGIN: httpsOrigin.default(GOOGLE_OAUTH_ORIGIN),
  /** Sessions kept open; FCM gives each 100 streams. 6 × 100 / 60 ms round trip is the whole quota of a project. */
  FCM_SESSIONS: z.coerce.number().int().min(1).max(64).default(6),
};
export type FcmEnv = z.infer<z.ZodObject<typeof fcmEnv>>;
