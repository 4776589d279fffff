import { z } from 'zod';
import { CommaList } from '../../../../shared/config/parse-env.ts';
import { PostClientChoice } from '../http2-client.ts';
import { httpsOrigin } from '../origin.ts';

/** The Web Push transport's environment variables, to be spread into the dispatcher's schema. */
export const webPushEnv = {
  /** Path of a JSON file `{subject, publicKey, privateKey}`. */
  VAPID_KEYS_FILE: z.string().min(1),
  /** Self-hosted push services, and the sandbox in development. */
  EXTRA_PUSH_ORIGINS: CommaList.pipe(z.array(httpsOrigin)),
  /** HTTP/2 sessions kept open per push service; each carries what the service allows, usually 100 sends at a time. */
  WEB_PUSH_SESSIONS: z.coerce.number().int().min(1).max(64).default(4),
  /** Keep-alive connections per push service without HTTP/2; Apple allows 100 unanswered requests. */
  WEB_PUSH_SOCKETS: z.coerce.number().int().min(1).max(500).default(100),
  /**
   * Sends that may be under way over all push services; one of them may have half while others are busy. What the open
   * connections do not carry waits in the sender and costs it half as much again: the default fits a few large services.
   */
  WEB_PUSH_IN_FLIGHT: z.coerce.number().int().min(10).max(50_000).default(2_000),
  /** Subscriptions that encryption is prepared for ahead of any alert: up to 150 bytes of memory each. */
  WEB_PUSH_RECORDS: z.coerce.number().int().min(0).max(20_000_000).default(1_000_000),
  HTTP2_CLIENT: PostClientChoice.default('framed'),
};
export type WebPushEnv = z.infer<z.ZodObject<typeof webPushEnv>>;
