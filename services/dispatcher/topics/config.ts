import { z } from 'zod';
import { CommaList } from '../../../shared/config/parse-env.ts';
import { httpsOrigin } from '../transports/origin.ts';

/** The settings of FCM topics, to be spread into the dispatcher's schema. */
export const topicsEnv = {
  /** `off`: no topic is joined, left or sent to; nothing is asked of Google for them. */
  FCM_TOPICS: z.enum(['off', 'on']).default('off'),
  /** An alert goes to topics too when it is for so many FCM devices or more. */
  FCM_TOPICS_MIN_AUDIENCE: z.coerce.number().int().min(1).default(100_000),
  /**
   * Memberships that may change in a second, over all dispatchers: Google allows a project 3,000 (firebase.google.com,
   * "Topic messaging on FCM"), and others may want some.
   */
  FCM_TOPICS_CHANGES_PER_SECOND: z.coerce.number().int().min(1).max(3_000).default(1_000),
  /** From the end of one walk through the registry to the beginning of the next. */
  FCM_TOPICS_WALK_SECONDS: z.coerce.number().int().min(1).max(86_400).default(300),
  /** The languages that topics are kept in; who wants another one is in the topics of the first. */
  FCM_TOPICS_LANGUAGES: CommaList.pipe(
    z
      .array(z.string().regex(/^[a-z]{2,3}$/, 'must be languages without a region, such as fr,en'))
      .max(10)
      .transform((list) => (list.length === 0 ? ['fr', 'en'] : [...new Set(list)])),
  ),
  /** Google's service that keeps who is in which topic. */
  IID_ORIGIN: httpsOrigin.default('https://iid.googleapis.com'),
};
export type TopicsEnv = z.infer<z.ZodObject<typeof topicsEnv>>;
