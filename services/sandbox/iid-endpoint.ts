import { z } from 'zod';
import { bearerToken } from '../../shared/http/bearer.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { AccessTokens } from './access-tokens.ts';
import { answerFault, type ProviderFaults } from './faults.ts';
import type { FcmTopics } from './fcm-topics.ts';
import { headerOf, type ProviderAnswer, type ProviderRequest } from './provider-answer.ts';

interface IidDeps {
  readonly accessTokens: AccessTokens;
  readonly topics: Pick<FcmTopics, 'change'>;
  readonly faults: () => ProviderFaults;
  readonly now: Clock;
  readonly random: () => number;
}

/** A thousand tokens of up to 400 characters. */
export const MAX_IID_BODY_BYTES = 512 * 1024;

const BatchRequest = z.strictObject({
  to: z.string().regex(/^\/topics\/[a-zA-Z0-9-_.~%]{1,900}$/),
  registration_tokens: z.array(z.string()).min(1).max(1_000),
});

const CHANGE_PATH = /^\/iid\/v1:batch(Add|Remove)$/;

export function isIidPath(path: string): boolean {
  return CHANGE_PATH.test(path);
}

const refuse = (
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): ProviderAnswer => ({ status, headers, body: { error } });

/**
 * The Instance ID service's `iid/v1:batchAdd` and `batchRemove` (developers.google.com/instance-id/reference/server,
 * "Manage relationship maps for multiple app instances"), as firebase-admin's `subscribeToTopicLegacy` speaks to it. An
 * OAuth token counts only with the header `access_token_auth: true`; without it the service takes it for an old server key.
 */
export function createIidEndpoint(deps: IidDeps): (request: ProviderRequest) => ProviderAnswer {
  return (request) => {
    const faults = deps.faults();
    if (faults.denyAuth !== null) return refuse(faults.denyAuth, 'Unauthorized');
    const token = bearerToken(headerOf(request, 'authorization'));
    const isOauth = headerOf(request, 'access_token_auth') === 'true';
    if (token === undefined || !isOauth || !deps.accessTokens.isValid(token, deps.now()))
      return refuse(401, 'Unauthorized');
    const parsed = BatchRequest.safeParse(parseJson(request.body));
    if (!parsed.success) return refuse(400, 'InvalidArgument');
    const fault = answerFault({ ...faults, goneShare: 0 }, '', deps.random());
    const retryAfter: Record<string, string> =
      faults.retryAfterSeconds === null ? {} : { 'retry-after': String(faults.retryAfterSeconds) };
    if (fault === 'throttled') return refuse(429, 'QuotaExceeded', retryAfter);
    if (fault === 'failed') return refuse(faults.status5xx, 'Unavailable', retryAfter);
    const { to, registration_tokens: tokens } = parsed.data;
    const change = request.path.endsWith('Add') ? 'add' : 'remove';
    const results = deps.topics.change(change, to.slice('/topics/'.length), tokens);
    return {
      status: 200,
      headers: {},
      body: { results: results.map((error) => (error === undefined ? {} : { error })) },
    };
  };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
