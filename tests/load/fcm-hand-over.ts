import { randomBytes } from 'node:crypto';
import type http2 from 'node:http2';
import { Agent } from 'node:https';
import { createRequire } from 'node:module';
import { initializeApp } from 'firebase-admin/app';
import { getMessaging, type Messaging, type TokenMessage } from 'firebase-admin/messaging';
import { AccessTokens } from '../../services/dispatcher/transports/fcm/access-token.ts';
import { createFcmTransport } from '../../services/dispatcher/transports/fcm/fcm-transport.ts';
import { HTTP2_POOL_DEFAULTS, Http2Pool } from '../../services/dispatcher/transports/http2-pool.ts';
import type { Outcome, OutgoingMessage } from '../../services/dispatcher/transports/transport.ts';
import { systemClock } from '../../shared/time/clock.ts';
import type { Contender, StandIn } from './contender.ts';

const PROJECT_ID = 'tocsin-bench';
const TOKENS = 2_000;
const SIGNED_BYTES = 1_000;
const TTL_MS = 3_600_000;
/** The most that sendEach takes. */
const BATCH = 500;

const tokens = Array.from(
  { length: TOKENS },
  () => `${randomBytes(16).toString('base64url')}:APA91b${randomBytes(72).toString('base64url')}`,
);
const tokenAt = (i: number) => tokens[i % TOKENS] ?? '';

const alert: OutgoingMessage = {
  alertId: 'bench',
  signedMessage: randomBytes(SIGNED_BYTES).toString('base64url').slice(0, SIGNED_BYTES),
  via: 'a',
  title: 'ALERTE — Préfecture des Alpes-Maritimes',
  body: 'Mettez-vous à l’abri.',
  msgType: 'Alert',
  tag: 'bench',
  expiresAtMs: Date.now() + TTL_MS,
  quiet: false,
};

/** Our transport as the dispatcher uses it: as many sends in flight as it takes, each settling alone. */
export async function ownFcm(standIn: StandIn, sessions: number): Promise<Contender> {
  const accessTokens = new AccessTokens({
    fetchToken: () => Promise.resolve({ value: 'bench', expiresAtMs: Date.now() + TTL_MS }),
    clock: systemClock,
    random: Math.random,
    onRefresh: () => undefined,
  });
  const pool = new Http2Pool(
    {
      ...HTTP2_POOL_DEFAULTS,
      origin: `https://localhost:${standIn.http2Port}`,
      sessions,
      tls: { ca: standIn.certPem },
    },
    { random: Math.random, onConnection: () => undefined },
  );
  const transport = createFcmTransport(
    { projectId: PROJECT_ID, sessions },
    { pool, tokens: accessTokens, clock: systemClock },
  );
  await transport.warmUp();
  const never = new AbortController().signal;
  return {
    run: async (messages) => {
      let next = 0;
      const sender = async () => {
        while (next < messages) {
          const address = { transport: 'fcm', token: tokenAt(next++) } as const;
          const outcome = await new Promise<Outcome>((settle) =>
            transport.send(address, alert, never, settle),
          );
          if (outcome.kind !== 'accepted') throw new Error(`a message was ${outcome.kind}`);
        }
      };
      await Promise.all(Array.from({ length: transport.maxInFlight }, sender));
    },
    close: () => transport.close(),
  };
}

/**
 * sendEach as it is, over HTTP/2. Its address is fixed and it says `:scheme: https:`, with a colon too many, which
 * Google takes and Node's server refuses; both are put right on the way out. What that costs is part of its time: one
 * object copy in about fifty microseconds.
 */
export async function fcmLibraryHttp2({ http2Port, certPem }: StandIn): Promise<Contender> {
  const shared: typeof http2 = createRequire(import.meta.url)('node:http2');
  const connect = shared.connect.bind(shared);
  const redirected = (_authority: string | URL, options?: http2.SecureClientSessionOptions) => {
    const session = connect(`https://localhost:${http2Port}`, { ...options, ca: certPem });
    const request = session.request.bind(session);
    session.request = (headers, requestOptions) =>
      request({ ...headers, ':scheme': 'https' }, requestOptions);
    return session;
  };
  Object.assign(shared, { connect: redirected });
  return library(createMessaging());
}

/** sendEach over HTTP/1.1, its deprecated transport: nothing but its agent is ours. */
export async function fcmLibraryHttp1({ http1Port, certPem }: StandIn): Promise<Contender> {
  const agent = new Agent({
    ...{ host: 'localhost', port: http1Port, servername: 'localhost', ca: certPem },
    keepAlive: true,
    maxSockets: 100,
  });
  const messaging = createMessaging(agent);
  messaging.enableLegacyHttpTransport();
  return library(messaging, agent);
}

/** A class, because plain objects are copied for each request. */
class BenchCredential {
  getAccessToken() {
    return Promise.resolve({ access_token: 'bench', expires_in: TTL_MS / 1000 });
  }
}

function createMessaging(httpAgent?: Agent): Messaging {
  const credential = new BenchCredential();
  return getMessaging(
    initializeApp({ projectId: PROJECT_ID, credential, ...(httpAgent ? { httpAgent } : {}) }),
  );
}

function library(messaging: Messaging, agent?: Agent): Contender {
  return {
    run: async (messages) => {
      for (let sent = 0; sent < messages; sent += BATCH) {
        const count = Math.min(BATCH, messages - sent);
        const batch = Array.from({ length: count }, (_, i) => libraryMessage(tokenAt(sent + i)));
        const { failureCount, responses } = await messaging.sendEach(batch);
        const failed = responses.find(({ success }) => !success);
        if (failureCount > 0) throw new Error(`sendEach: ${failed?.error?.message}`);
      }
    },
    close: async () => agent?.destroy(),
  };
}

/** The same request as ours, in the package's words. */
function libraryMessage(token: string): TokenMessage {
  return {
    token,
    android: { priority: 'high', ttl: TTL_MS },
    data: { alert: alert.signedMessage, via: alert.via },
    apns: {
      headers: {
        'apns-push-type': 'alert',
        'apns-priority': '10',
        'apns-expiration': String(Math.floor(alert.expiresAtMs / 1000)),
        'apns-collapse-id': alert.tag,
      },
      payload: {
        aps: {
          alert: { title: alert.title, body: alert.body },
          mutableContent: true,
          'interruption-level': 'time-sensitive',
          sound: 'default',
        },
      },
    },
  };
}
