import { z } from 'zod';
import { FCM_QUOTA_PER_MINUTE, FCM_RAMP_SECONDS } from '../../../shared/pacing/fcm-quota.ts';

/** The pacing's environment variables, to be spread into the dispatcher's schema. */
export const pacingEnv = {
  /** Messages a minute that Google allows the project, all dispatchers together. */
  FCM_QUOTA_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(600)
    .max(100_000_000)
    .default(FCM_QUOTA_PER_MINUTE),
  /** Seconds from a standing start to the full rate; 0: at once. */
  FCM_RAMP_SECONDS: z.coerce.number().min(0).max(600).default(FCM_RAMP_SECONDS),
};
