import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { bearerToken } from '../../shared/http/bearer.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { AccessTokens } from './access-tokens.ts';
import { answerFault, isSwallowed, type ProviderFaults } from './faults.ts';
import type { FindFcmReceiver } from './fcm-devices.ts';
import {
  fcmUnavailable,
  invalidArgument,
  permissionDenied,
  quotaExceeded,
  senderIdMismatch,
  unauthenticated,
  unregistered,
} from './fcm-errors.ts';
import {
  type FcmMessage,
  MAX_FCM_BYTES,
  messageBytes,
  SendRequest,
  ttlSecondsOf,
} from './fcm-message.ts';
import type { FcmTopics } from './fcm-topics.ts';
import { headerOf, type ProviderAnswer, type ProviderRequest } from './provider-answer.ts';

interface FcmDeps {
  readonly projectId: string;
  readonly accessTokens: AccessTokens;
  readonly find: FindFcmReceiver;
  readonly topics: Pick<FcmTopics, 'publish'>;
  readonly faults: () => ProviderFaults;
  /** Told of every message that was taken; `node` is what the message says and may be anything. */
  readonly onSent: (node: unknown) => void;
  readonly now: Clock;
  readonly random: () => number;
}

const SEND_PATH = /^\/v1\/projects\/([^/]{1,100})\/messages:send$/;

/** The project of a messages:send address, if it is one. */
export function projectOfSendPath(path: string): string | undefined {
  return SEND_PATH.exec(path)?.[1];
}

/** FCM HTTP v1 `messages:send` (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send). */
export function createFcmEndpoint(deps: FcmDeps): (request: ProviderRequest) => ProviderAnswer {
  return (request) => {
    const project = projectOfSendPath(request.path) ?? '';
    const faults = deps.faults();
    const refused = authorise(request, project, faults, deps);
    if (refused) return refused;
    const parsed = SendRequest.safeParse(parseJson(request.body));
    if (!parsed.success) return invalidMessage(parsed.error);
    const { message, validate_only: validateOnly = false } = parsed.data;
    if (messageBytes(message) > MAX_FCM_BYTES) return invalidArgument('Android message is too big');
    const fault = answerFault(faults, message.token ?? '', deps.random());
    if (fault === 'gone') return unregistered();
    if (fault === 'throttled')
      return quotaExceeded(faults.quotaScope, project, faults.retryAfterSeconds);
    if (fault === 'failed') return fcmUnavailable(faults.status5xx, faults.retryAfterSeconds);
    const isDelivered = !validateOnly && !isSwallowed(faults, message.data?.['via']);
    return send(message, { project, isDelivered }, deps);
  };
}

function authorise(
  request: ProviderRequest,
  project: string,
  faults: ProviderFaults,
  { accessTokens, projectId, now }: FcmDeps,
): ProviderAnswer | undefined {
  if (faults.denyAuth === 401) return unauthenticated(true);
  if (faults.denyAuth === 403) return permissionDenied(project);
  const token = bearerToken(headerOf(request, 'authorization'));
  if (token === undefined) return unauthenticated(false);
  if (!accessTokens.isValid(token, now())) return unauthenticated(true);
  return project === projectId ? undefined : permissionDenied(project);
}

function send(
  message: FcmMessage,
  { project, isDelivered }: { project: string; isDelivered: boolean },
  deps: FcmDeps,
): ProviderAnswer {
  const messageId = `0:${deps.now()}${randomBytes(3).readUIntBE(0, 3)}%${randomBytes(8).toString('hex')}`;
  const ttlSeconds = ttlSecondsOf(message);
  const delivery = {
    messageId,
    data: { ...message.data, ...message.android?.data },
    collapseKey: message.android?.collapse_key,
    ttlSeconds,
    expiresMs: Math.round(deps.now() + ttlSeconds * 1000),
  };
  if (message.topic !== undefined && isDelivered) deps.topics.publish(message.topic, delivery);
  if (message.token !== undefined) {
    const receiver = deps.find(message.token);
    if (receiver === undefined || receiver.state === 'unregistered') return unregistered();
    if (receiver.state === 'sender-id-mismatch') return senderIdMismatch();
    if (isDelivered && receiver.deliver(delivery) === 'overloaded')
      return fcmUnavailable(503, null);
  }
  deps.onSent(message.data?.['via']);
  return { status: 200, headers: {}, body: { name: `projects/${project}/messages/${messageId}` } };
}

/** Google names unknown and wrong fields, and speaks of a bad token in a sentence of its own. */
function invalidMessage(error: z.ZodError): ProviderAnswer {
  const violations = error.issues.flatMap((issue) => {
    const at = issue.path.map(String);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        field: at.join('.'),
        description: `Invalid JSON payload received. Unknown name "${key.slice(0, 100)}"${at.length === 0 ? '' : ` at '${at.join('.')}'`}: Cannot find field.`,
      }));
    return [{ field: at.join('.'), description: issue.message }];
  });
  const isToken = violations.some(({ field }) => field === 'message.token');
  const message = isToken
    ? 'The registration token is not a valid FCM registration token'
    : (violations[0]?.description ?? 'Request contains an invalid argument.');
  return invalidArgument(message, violations.slice(0, 20));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
