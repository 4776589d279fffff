import { z } from 'zod';
import type { Clock } from '../../../shared/time/clock.ts';
import type { AccessTokens } from '../transports/fcm/access-token.ts';
import {
  type Answer,
  CONFIGURATION_RETRY_MS,
  CONNECTION_RETRY_MS,
  SERVER_ERROR_RETRY_MS,
  THROTTLED_RETRY_MS,
} from '../transports/outcome.ts';
import { askedWaitMs, googlePost } from './google-post.ts';
import type { TopicChange } from './membership.ts';

/** Google takes so many tokens in one request. */
export const TOKENS_AT_A_TIME = 1_000;

/** What became of one token. `refused` is final, whatever the reason; the registry has nothing to learn from it (P9). */
export type TokenResult = 'done' | 'refused' | 'failed';

/**
 * What became of one request: a result for each token, in order; `refused`: it was wrong as a whole; `later`: nobody was
 * asked about any token, and the service is to be left alone for so long.
 */
export type BatchResult =
  | { readonly kind: 'answered'; readonly results: readonly TokenResult[] }
  | { readonly kind: 'refused' }
  | { readonly kind: 'later'; readonly retryAfterMs: number };

const Results = z.object({
  results: z.array(z.looseObject({ error: z.string().optional() })),
});

/** Words that will not become other ones by asking again: about the token, or about the sender's project. */
const FINAL_ERRORS: ReadonlySet<string> = new Set([
  'INVALID_ARGUMENT',
  'INVALID',
  'NOT_FOUND',
  'PERMISSION_DENIED',
  'TOO_MANY_TOPICS',
]);

/**
 * The Instance ID service's answer → result. Pure. Codes: developers.google.com/instance-id/reference/server, and the
 * table of firebase-admin (`TOPIC_MGT_SERVER_TO_CLIENT_CODE`).
 */
export function batchResult(
  answer: Answer | undefined,
  tokens: number,
  nowMs: number,
): BatchResult {
  if (answer === undefined) return later(CONNECTION_RETRY_MS);
  const { status } = answer;
  if (status === 200) {
    const parsed = Results.safeParse(parseJson(answer.body));
    // An answer that does not fit the question says nothing about any of them.
    if (!parsed.success || parsed.data.results.length !== tokens)
      return later(SERVER_ERROR_RETRY_MS);
    return {
      kind: 'answered',
      results: parsed.data.results.map(({ error }) => tokenResult(error)),
    };
  }
  if (status === 429) return later(askedWaitMs(answer, THROTTLED_RETRY_MS, nowMs));
  if (status >= 500) return later(askedWaitMs(answer, SERVER_ERROR_RETRY_MS, nowMs));
  return status === 400 ? { kind: 'refused' } : later(CONFIGURATION_RETRY_MS);
}

function tokenResult(error: string | undefined): TokenResult {
  if (error === undefined) return 'done';
  return FINAL_ERRORS.has(error) ? 'refused' : 'failed';
}

function later(retryAfterMs: number): BatchResult {
  return { kind: 'later', retryAfterMs };
}

export interface InstanceIdDeps {
  /** `https://iid.googleapis.com` */
  readonly origin: string;
  readonly tokens: Pick<AccessTokens, 'get' | 'refused'>;
  readonly now: Clock;
}

/** Puts tokens into a topic or takes them out. Never rejects. */
export type ChangeMembers = (
  change: TopicChange['change'],
  topic: string,
  tokens: readonly string[],
  signal: AbortSignal,
) => Promise<BatchResult>;

/** Google's Instance ID service: `iid/v1:batchAdd` and `batchRemove`. */
export function createChangeMembers({ origin, tokens, now }: InstanceIdDeps): ChangeMembers {
  return async (change, topic, registrationTokens, signal) => {
    const token = await tokens.get();
    if (token === undefined) return later(CONNECTION_RETRY_MS);
    const url = `${origin}/iid/v1:batch${change === 'add' ? 'Add' : 'Remove'}`;
    const body = JSON.stringify({
      to: `/topics/${topic}`,
      registration_tokens: registrationTokens,
    });
    const answer = await googlePost(url, { token, body, signal });
    if (answer?.status === 401) tokens.refused(token);
    return batchResult(answer, registrationTokens.length, now());
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
