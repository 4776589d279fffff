import type { Clock } from '../../../shared/time/clock.ts';
import type { AccessTokens } from '../transports/fcm/access-token.ts';
import { fcmHead, fcmTail, fcmTemplate } from '../transports/fcm/fcm-message.ts';
import { fcmOutcome, refusesAccessToken } from '../transports/fcm/fcm-outcome.ts';
import {
  CONFIGURATION_RETRY_MS,
  CONNECTION_RETRY_MS,
  outcomeOfFailure,
  rejected,
  unavailable,
} from '../transports/outcome.ts';
import type { Outcome, OutgoingMessage } from '../transports/transport.ts';
import { ttlSeconds } from '../transports/ttl.ts';
import { googlePost } from './google-post.ts';

const BEFORE_TOPIC = Buffer.from('{"message":{"topic":"');

/** Sends one message to one topic. Never rejects. */
export type SendToTopic = (
  topic: string,
  message: OutgoingMessage,
  signal: AbortSignal,
) => Promise<Outcome>;

export interface SendToTopicDeps {
  /** Of FCM HTTP v1: `https://fcm.googleapis.com` */
  readonly origin: string;
  readonly projectId: string;
  readonly tokens: Pick<AccessTokens, 'get' | 'refused'>;
  readonly now: Clock;
}

/** The same message as the FCM transport's, with a topic where the token stands, over a connection of its own. */
export function createSendToTopic({
  origin,
  projectId,
  tokens,
  now,
}: SendToTopicDeps): SendToTopic {
  const url = `${origin}/v1/projects/${projectId}/messages:send`;
  return async (topic, message, signal) => {
    const template = fcmTemplate(message);
    if (template === undefined) return rejected('too-large');
    const token = await tokens.get();
    if (token === undefined) return unavailable('no-token', CONNECTION_RETRY_MS);
    const ttl = ttlSeconds(message.expiresAtMs, now());
    if (ttl === undefined) return rejected('expired');
    const head = fcmHead({ ...template, beforeToken: BEFORE_TOPIC }, topic);
    const body = Buffer.concat([head, fcmTail(template, ttl)]).toString();
    const answer = await googlePost(url, { token, body, signal });
    if (answer === undefined) return outcomeOfFailure(signal.aborted ? 'aborted' : 'connection');
    if (!refusesAccessToken(answer)) return fcmOutcome(answer, now());
    tokens.refused(token);
    return unavailable('auth', CONFIGURATION_RETRY_MS);
  };
}
