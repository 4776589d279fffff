import { z } from 'zod';

const HttpsUrl = z.url({ protocol: /^https$/ });

/** The app that the probe is for Google, as its Firebase project knows it (google-services.json has all of it). */
export interface FcmApp {
  readonly projectId: string;
  /** Project number: who may send to it. */
  readonly senderId: string;
  readonly appId: string;
  /** A Firebase API key; Google does not treat it as a secret. */
  readonly apiKey: string;
  /** Android package. */
  readonly packageName: string;
  /** SHA-1 of the package's signing certificate, where the API key is bound to it. */
  readonly certificateSha1: string | undefined;
}

/** Google's addresses for a device, or those of the sandbox. */
export interface FcmServers {
  readonly checkInUrl: string;
  readonly registerUrl: string;
  readonly installationsOrigin: string;
  readonly mcs: { readonly host: string; readonly port: number };
}

export type FcmProbeConfig =
  | { readonly kind: 'websocket'; readonly url: string; readonly tokensUrl: string }
  | { readonly kind: 'mcs'; readonly servers: FcmServers; readonly app: FcmApp };

/** Settings of the FCM probe, to be spread into the canary's. */
export const FCM_PROBE_SETTINGS = {
  FCM_PROBE: z.enum(['websocket', 'mcs']).default('websocket'),
  FCM_PROBE_URL: z.url({ protocol: /^wss?$/ }).default('ws://127.0.0.1:8492/fcm'),
  FCM_TOKENS_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:8493/fcm/tokens'),
  FCM_CHECK_IN_URL: HttpsUrl.default('https://android.clients.google.com/checkin'),
  FCM_REGISTER_URL: HttpsUrl.default('https://android.clients.google.com/c2dm/register3'),
  FCM_INSTALLATIONS_ORIGIN: HttpsUrl.default('https://firebaseinstallations.googleapis.com'),
  FCM_MCS_SERVER: z
    .string()
    .regex(/^[a-z0-9.-]{1,253}:\d{1,5}$/, 'must be host:port')
    .default('mtalk.google.com:5228'),
  FCM_PROJECT_ID: z.string().min(1).max(60).optional(),
  FCM_SENDER_ID: z
    .string()
    .regex(/^\d{1,20}$/, 'must be a project number')
    .optional(),
  FCM_APP_ID: z.string().min(1).max(200).optional(),
  FCM_API_KEY: z.string().min(1).max(200).optional(),
  FCM_APP_PACKAGE: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_.]{0,199}$/, 'must be an Android package')
    .optional(),
  FCM_APP_CERT_SHA1: z
    .string()
    .regex(/^[0-9a-fA-F]{40}$/, 'must be 40 hex digits')
    .optional(),
} as const;

type FcmProbeSettings = z.infer<z.ZodObject<typeof FCM_PROBE_SETTINGS>>;

const NEEDED = [
  'FCM_PROJECT_ID',
  'FCM_SENDER_ID',
  'FCM_APP_ID',
  'FCM_API_KEY',
  'FCM_APP_PACKAGE',
] as const;

/** Names of settings that this kind of probe cannot do without and that are not there. */
export function missingFcmSettings(env: FcmProbeSettings): readonly string[] {
  return env.FCM_PROBE === 'mcs' ? NEEDED.filter((name) => env[name] === undefined) : [];
}

/** The probe that the settings choose; nothing may be missing any more. */
export function fcmProbeOf(env: FcmProbeSettings): FcmProbeConfig {
  if (env.FCM_PROBE === 'websocket')
    return { kind: 'websocket', url: env.FCM_PROBE_URL, tokensUrl: env.FCM_TOKENS_URL };
  const [host = '', port = ''] = env.FCM_MCS_SERVER.split(':');
  return {
    kind: 'mcs',
    servers: {
      checkInUrl: env.FCM_CHECK_IN_URL,
      registerUrl: env.FCM_REGISTER_URL,
      installationsOrigin: env.FCM_INSTALLATIONS_ORIGIN,
      mcs: { host, port: Number(port) },
    },
    app: {
      projectId: env.FCM_PROJECT_ID ?? '',
      senderId: env.FCM_SENDER_ID ?? '',
      appId: env.FCM_APP_ID ?? '',
      apiKey: env.FCM_API_KEY ?? '',
      packageName: env.FCM_APP_PACKAGE ?? '',
      certificateSha1: env.FCM_APP_CERT_SHA1?.toLowerCase(),
    },
  };
}
