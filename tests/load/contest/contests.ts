import type { Payload } from '../bench-messages.ts';
import { LIMIT_PATH } from '../limit/nghttp.ts';
import type { Contender, Target } from './contender.ts';
import type { SinkOptions } from './start-sink.ts';

export interface Entry {
  readonly start: (target: Target) => Promise<Contender>;
  /** In each turn: about as much time for everybody. */
  readonly messages: number;
}

/** Contenders do the same job for the same messages; `baseline` is what the others are compared with. */
export interface Contest {
  readonly name: string;
  readonly baseline: string;
  readonly provider: SinkOptions | 'nghttpd' | 'none';
  readonly entries: Readonly<Record<string, Entry>>;
}

/** Modules are loaded by the process that needs them: a package that can't be loaded is that contender's failure alone. */
const encryption = () => import('../web-push/encryption.ts');
const ownEncryption = () => import('../web-push/own-encryption.ts');
const librarySending = () => import('../web-push/library-sending.ts');
const admin = () => import('../fcm/firebase-admin.ts');
const others = () => import('../fcm/other-packages.ts');
const ownFcm = () => import('../fcm/own-sending.ts');
const ownWebPush = () => import('../web-push/own-sending.ts');

function encryptionContest(payload: Payload, what: string): Contest {
  return {
    name: `Web Push: encryption and authorisation of one message, ${what}`,
    baseline: 'web-push',
    provider: 'none',
    entries: {
      'web-push': {
        messages: 1_000,
        start: async () => (await encryption()).libraryEncryption(payload),
      },
      'web-push, VAPID cached': {
        messages: 1_500,
        start: async () => (await encryption()).libraryEncryptionCachedVapid(payload),
      },
      '@block65/webcrypto-web-push': {
        messages: 700,
        start: async () => (await encryption()).block65Encryption(payload),
      },
      '@pushforge/builder': {
        messages: 700,
        start: async () => (await encryption()).pushforgeEncryption(payload),
      },
      'ours, fresh keys': {
        messages: 3_000,
        start: async () => (await encryption()).ownFresh(payload),
      },
      'ours, prepared keys': {
        messages: 20_000,
        start: async () => (await ownEncryption()).ownPrepared(payload),
      },
      ...(payload === 'short'
        ? {
            'ours, preparing a key': {
              messages: 5_000,
              start: async () => (await ownEncryption()).ownPreparing(),
            },
          }
        : {}),
    },
  };
}

const webPushSending: Contest = {
  name: 'Web Push: sent over TLS, 300 bytes, answers at once',
  baseline: 'web-push, keep-alive agent',
  provider: { kind: 'web-push', replyMs: 0, maxStreams: 100 },
  entries: {
    'web-push, keep-alive agent': {
      messages: 1_500,
      start: async (target) => (await librarySending()).withAgent(target, 'short'),
    },
    'web-push, as shipped': {
      messages: 1_500,
      start: async (target) => (await librarySending()).asShipped(target, 'short'),
    },
    'node-pushnotifications': {
      messages: 1_500,
      start: async (target) => (await librarySending()).nodePushNotifications(target, 'short'),
    },
    'ours, framed, prepared keys': {
      messages: 60_000,
      start: async (target) => (await ownWebPush()).ownWebPush(target, 'framed', 'short'),
    },
    'ours, node:http2, prepared keys': {
      messages: 10_000,
      start: async (target) => (await ownWebPush()).ownWebPush(target, 'node', 'short'),
    },
    'ours, framed, fresh keys': {
      messages: 5_000,
      start: async (target) => (await ownWebPush()).ownWebPushFresh(target, 'framed', 'short'),
    },
    'ours, node:http2, fresh keys': {
      messages: 5_000,
      start: async (target) => (await ownWebPush()).ownWebPushFresh(target, 'node', 'short'),
    },
  },
};

function fcmContest(replyMs: number): Contest {
  return {
    name: `FCM: sent over TLS, answers after ${replyMs} ms`,
    baseline: 'sendEach, one call at a time',
    provider: { kind: 'fcm', replyMs, maxStreams: 100 },
    entries: {
      'sendEach, one call at a time': {
        messages: 2_000,
        start: async (target) => (await admin()).adminSendEach(target, 1),
      },
      'sendEach, 20 calls at a time': {
        messages: 10_000,
        start: async (target) => (await admin()).adminSendEach(target, 20),
      },
      'send, 100 at a time': {
        messages: 1_500,
        start: async (target) => (await admin()).adminSend(target),
      },
      'fcm-v1-http2': {
        messages: 5_000,
        start: async (target) => (await others()).fcmV1Http2(target),
      },
      '@parse/push-adapter': {
        messages: 4_000,
        start: async (target) => (await others()).parseAdapter(target),
      },
      'ours, framed, 6 sessions': {
        messages: 15_000,
        start: async (target) => (await ownFcm()).ownFcm(target, 'framed', 6),
      },
      'ours, framed, 50 sessions': {
        messages: 60_000,
        start: async (target) => (await ownFcm()).ownFcm(target, 'framed', 50),
      },
      'ours, node:http2, 6 sessions': {
        messages: 10_000,
        start: async (target) => (await ownFcm()).ownFcm(target, 'node', 6),
      },
      'ours, node:http2, 50 sessions': {
        messages: 20_000,
        start: async (target) => (await ownFcm()).ownFcm(target, 'node', 50),
      },
    },
  };
}

const limit: Contest = {
  name: 'The limit: the same request to nghttpd, 300 bytes',
  baseline: 'h2load -c2 -m100',
  provider: 'nghttpd',
  entries: {
    'h2load -c2 -m100': {
      messages: 100_000,
      start: async (target) => (await import('../limit/h2load.ts')).h2load(target),
    },
    'ours, framed, transport alone': {
      messages: 100_000,
      start: async (target) =>
        (await import('../web-push/post-only.ts')).postOnly(target, 'framed', LIMIT_PATH),
    },
    'ours, framed, prepared keys': {
      messages: 60_000,
      start: async (target) =>
        (await ownWebPush()).ownWebPush(target, 'framed', 'short', LIMIT_PATH),
    },
    'ours, node:http2, transport alone': {
      messages: 20_000,
      start: async (target) =>
        (await import('../web-push/post-only.ts')).postOnly(target, 'node', LIMIT_PATH),
    },
  },
};

/** By key in reports/bench.json. */
export const CONTESTS: Readonly<Record<string, Contest>> = {
  encryption300: encryptionContest('short', '300 bytes'),
  encryptionReal: encryptionContest('real', 'the example alert for Nice'),
  webPushSending,
  fcm1: fcmContest(1),
  fcm20: fcmContest(20),
  fcm50: fcmContest(50),
  fcm100: fcmContest(100),
  limit,
};
