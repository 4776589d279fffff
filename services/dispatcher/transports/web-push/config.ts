import { z } from 'zod';
import { CommaList } from '../../../../shared/config/parse-env.ts';
import { httpsOrigin } from '../origin.ts';

/** The Web Push transport's environment variables, to be spread into the dispatcher's schema. */
export const webPushEnv = {
  /** Path of a JSON file `{subject, publicKey, privateKey}`. */
  VAPID_KEYS_FILE: z.string().min(1),
  /** Self-hosted push services, and the sandbox in development. */
  EXTRA_PUSH_ORIGINS: CommaList.pipe(z.array(httpsOrigin)),
  /** Keep-alive connections per push service; Apple allows 100 unanswered requests. */
  WEB_PUSH_SOCKETS: z.coerce.number().int().min(1).max(500).default(100),
};
export type WebPushEnv = z.infer<z.ZodObject<typeof webPushEnv>>;
