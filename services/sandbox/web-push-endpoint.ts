import { randomBytes } from 'node:crypto';
import type { Clock } from '../../shared/time/clock.ts';
import { answerFault, type ProviderFaults } from './faults.ts';
import { headerOf, type ProviderAnswer, type ProviderRequest } from './provider-answer.ts';
import { VapidError, type VerifyVapid } from './vapid.ts';
import {
  goneEndpoint,
  tooManyRequests,
  unauthorised,
  unknownEndpoint,
  webPushError,
  webPushUnavailable,
} from './web-push-errors.ts';
import type { FindWebPushReceiver, WebPushReceiver } from './web-push-receivers.ts';

interface WebPushDeps {
  readonly find: FindWebPushReceiver;
  readonly verifyVapid: VerifyVapid;
  /** What the answer's `Location` begins with. */
  readonly origin: () => string;
  /** Origins that a sender's VAPID token may be for. */
  readonly audiences: () => readonly string[];
  /** The token of an endpoint's address. */
  readonly tokenOf: (path: string) => string | undefined;
  readonly faults: () => ProviderFaults;
  readonly now: Clock;
  readonly random: () => number;
}

const ENDPOINT_PATH = /^\/wpush\/v2\/([A-Za-z0-9_-]{1,300})$/;
const FCM_ENDPOINT_PATH = /^\/(?:fcm\/send|wp)\/([A-Za-z0-9:_-]{20,400})$/;
/** A push service takes 4096 bytes (RFC 8030 section 7.2); header, tag and delimiter of aes128gcm come on top. */
export const MAX_WEB_PUSH_BYTES = 4096 + 86 + 16 + 1;
/** Autopush keeps nothing for longer than 30 days and says so in the answer's TTL. */
const MAX_TTL_SECONDS = 2_592_000;
const URGENCIES = ['very-low', 'low', 'normal', 'high'];
const TOPIC = /^[A-Za-z0-9_-]{1,32}$/;

/** The token of an endpoint's address, if it is one. */
export function tokenOfEndpointPath(path: string): string | undefined {
  return ENDPOINT_PATH.exec(path)?.[1];
}

/** The same for the endpoints of browsers on FCM, which end with the registration's token. */
export function tokenOfFcmEndpointPath(path: string): string | undefined {
  return FCM_ENDPOINT_PATH.exec(path)?.[1];
}

interface PushHeaders {
  readonly ttlSeconds: number;
  readonly topic: string | undefined;
}

/** The push service's side towards the sender (RFC 8030 section 5), with VAPID, in autopush's manner. */
export function createWebPushEndpoint(
  deps: WebPushDeps,
): (request: ProviderRequest) => Promise<ProviderAnswer> {
  return async (request) => {
    const token = deps.tokenOf(request.path) ?? '';
    const faults = deps.faults();
    if (faults.revoked) return unauthorised('Invalid Authentication', 403);
    if (faults.denyAuth !== null) return unauthorised('Invalid Authentication', faults.denyAuth);
    const found = deps.find(token);
    if (found === undefined) return unknownEndpoint();
    if (found.kind === 'gone') return goneEndpoint(found.reason);
    const headers = readHeaders(request);
    if ('status' in headers) return headers;
    const refused = await authorise(request, found.receiver, deps);
    if (refused) return refused;
    const fault = answerFault(faults, token, deps.random());
    if (fault === 'gone') return goneEndpoint('unregistered');
    if (fault === 'throttled') return tooManyRequests(faults.retryAfterSeconds);
    if (fault === 'failed') return webPushUnavailable(faults.status5xx, faults.retryAfterSeconds);
    return push(request.body, headers, found.receiver, deps);
  };
}

function readHeaders(request: ProviderRequest): PushHeaders | ProviderAnswer {
  if (request.body.length > MAX_WEB_PUSH_BYTES)
    return webPushError(413, 104, 'Data payload too large');
  const ttl = headerOf(request, 'ttl');
  if (ttl === undefined) return webPushError(400, 111, 'Missing TTL value');
  if (!/^\d{1,10}$/.test(ttl)) return webPushError(400, 112, 'Invalid TTL header value');
  const topic = headerOf(request, 'topic');
  if (topic !== undefined && !TOPIC.test(topic))
    return webPushError(400, 113, 'Invalid Topic header value');
  const pushUrgency = headerOf(request, 'urgency');
  if (pushUrgency !== undefined && !URGENCIES.includes(pushUrgency))
    return webPushError(400, null, 'Invalid Urgency header value');
  const encoding = headerOf(request, 'content-encoding');
  if (request.body.length > 0 && encoding !== 'aes128gcm')
    return webPushError(400, 110, 'Unknown Content-Encoding header: use aes128gcm');
  return { ttlSeconds: Math.min(Number(ttl), MAX_TTL_SECONDS), topic };
}

/** An endpoint that was made without a key takes senders without a name, but no sender that names itself falsely. */
async function authorise(
  request: ProviderRequest,
  receiver: WebPushReceiver,
  { verifyVapid, audiences, now }: WebPushDeps,
): Promise<ProviderAnswer | undefined> {
  const authorization = headerOf(request, 'authorization');
  if (authorization === undefined)
    return receiver.vapidKey === undefined ? undefined : unauthorised('Missing VAPID token');
  try {
    await verifyVapid(authorization, {
      key: receiver.vapidKey,
      audiences: audiences(),
      nowMs: now(),
    });
    return undefined;
  } catch (error) {
    if (error instanceof VapidError) return unauthorised(error.message);
    throw error;
  }
}

function push(
  body: Buffer,
  { ttlSeconds, topic }: PushHeaders,
  receiver: WebPushReceiver,
  { faults, origin, now }: WebPushDeps,
): ProviderAnswer {
  const version = randomBytes(24).toString('base64url');
  if (!faults().blackHole) {
    const expiresMs = now() + ttlSeconds * 1000;
    const delivered = receiver.deliver({ version, body, ttlSeconds, expiresMs, topic });
    if (delivered === 'overloaded') return webPushUnavailable(503, 1);
  }
  const headers = { location: `${origin()}/m/${version}`, ttl: String(ttlSeconds) };
  return { status: 201, headers };
}
