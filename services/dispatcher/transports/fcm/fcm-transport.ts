import type { FcmAddress } from '../../../../shared/subscription/subscription.ts';
import type { Clock } from '../../../../shared/time/clock.ts';
import { abandonOnAbort } from '../abandon.ts';
import type { Exchange } from '../exchange.ts';
import {
  CONFIGURATION_RETRY_MS,
  CONNECTION_RETRY_MS,
  outcomeOfFailure,
  rejected,
  unavailable,
} from '../outcome.ts';
import type { PostClient, SharedHeaders } from '../post-client.ts';
import type { Outcome, OutgoingMessage, Transport } from '../transport.ts';
import { ttlSeconds } from '../ttl.ts';
import type { AccessTokens } from './access-token.ts';
import { type FcmTemplate, fcmHead, fcmTail, fcmTemplate } from './fcm-message.ts';
import { fcmOutcome, refusesAccessToken } from './fcm-outcome.ts';

const ACCEPTED: Outcome = { kind: 'accepted' };
const TOO_LARGE = rejected('too-large');
const EXPIRED = rejected('expired');
const NO_TOKEN = unavailable('no-token', CONNECTION_RETRY_MS);

/** FCM allows 100 streams on a session. */
const STREAMS_PER_SESSION = 100;

export interface FcmTransportOptions {
  readonly projectId: string;
  readonly sessions: number;
}

export interface FcmTransportDeps {
  readonly pool: PostClient;
  readonly tokens: AccessTokens;
  readonly clock: Clock;
}

/** FCM HTTP v1: one request per device over warm HTTP/2 sessions. */
export function createFcmTransport(
  options: FcmTransportOptions,
  { pool, tokens, clock }: FcmTransportDeps,
): Transport<FcmAddress> {
  const path = `/v1/projects/${options.projectId}/messages:send`;
  const templates = new WeakMap<OutgoingMessage, FcmTemplate | 'too-large'>();

  const templateOf = (message: OutgoingMessage) => {
    const known = templates.get(message);
    if (known !== undefined) return known;
    const template = fcmTemplate(message) ?? 'too-large';
    templates.set(message, template);
    return template;
  };

  let shared: { token: string; headers: SharedHeaders } | undefined;
  const headersOf = (token: string): SharedHeaders => {
    if (shared?.token !== token)
      shared = {
        token,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      };
    return shared.headers;
  };

  const outcomeOf = (exchange: Exchange, accessToken: string): Outcome => {
    if (exchange.kind === 'failed') return outcomeOfFailure(exchange.reason);
    if (exchange.status === 200) return ACCEPTED;
    if (!refusesAccessToken(exchange)) return fcmOutcome(exchange, clock());
    tokens.refused(accessToken);
    return unavailable('auth', CONFIGURATION_RETRY_MS);
  };

  /** Posts, or says why it did not. */
  const begin = (
    accessToken: string,
    { token }: FcmAddress,
    message: OutgoingMessage,
    signal: AbortSignal,
    settle: (outcome: Outcome) => void,
  ): Outcome | undefined => {
    const template = templateOf(message);
    if (template === 'too-large') return TOO_LARGE;
    const ttl = ttlSeconds(message.expiresAtMs, clock());
    if (ttl === undefined) return EXPIRED;
    const headers = headersOf(accessToken);
    const body = fcmHead(template, token);
    const tail = fcmTail(template, ttl);
    pool.post({ path, headers, body, tail, signal }, (exchange) =>
      settle(outcomeOf(exchange, accessToken)),
    );
    return undefined;
  };

  const send: Transport<FcmAddress>['send'] = (address, message, signal, settle) => {
    const sendWith = (token: string | undefined) => {
      const refused =
        token === undefined ? NO_TOKEN : begin(token, address, message, signal, settle);
      if (refused !== undefined) settle(refused);
    };
    const inHand = tokens.current;
    if (inHand !== undefined) sendWith(inHand);
    // At the start, or while Google gives out no tokens: never in the middle of an alert.
    else void tokens.get().then(sendWith);
  };

  return {
    kind: 'fcm',
    maxInFlight: options.sessions * STREAMS_PER_SESSION,
    send,
    warmUp: async () => {
      await Promise.all([tokens.get(), abandonOnAbort(pool.ready, AbortSignal.timeout(5_000))]);
    },
    close: async () => {
      tokens.close();
      await pool.close();
    },
  };
}
