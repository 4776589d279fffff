import { z } from 'zod';
import { BusSites, Peers } from '../../shared/bus/bus-config.ts';
import { Port, parseEnv } from '../../shared/config/parse-env.ts';
import { readTextFile } from '../../shared/config/read-file.ts';
import { NodeName } from '../../shared/envelope/envelope.ts';
import { OtlpEndpoint } from '../../shared/trace/otlp-endpoint.ts';
import {
  FCM_PROBE_SETTINGS,
  fcmProbeOf,
  missingFcmSettings,
} from './probes/fcm-mcs/fcm-probe-config.ts';

const WebSocketUrl = z.url({ protocol: /^wss?$/ });
const HttpUrl = z.url({ protocol: /^https?$/ });

const Env = z
  .object({
    HOST: z.string().min(1).default('127.0.0.1'),
    PORT: Port.default(8403),
    SITE: NodeName,
    NODE_NAME: NodeName.optional(),
    DATA_DIR: z.string().min(1),
    DEPLOYMENT: z.enum(['production', 'development']).default('production'),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
    INGESTS: Peers,
    DISPATCHERS: Peers,
    CANARIES: Peers,
    EDGES: Peers,
    EDGE_URL: HttpUrl.optional(),
    NATS_SITES: BusSites,
    INTERNAL_TOKEN_FILE: z.string().min(1),
    CANARY_API_KEY_FILE: z.string().min(1),
    CANARY_SENDER: z.string().max(120).optional(),
    TRUSTED_KEYS_FILE: z.string().min(1),
    OTLP_ENDPOINT: OtlpEndpoint,
    VAPID_PUBLIC_KEY: z
      .string()
      .regex(/^[A-Za-z0-9_-]{87}$/, 'must be a P-256 public key, 65 bytes as base64url'),
    AUTOPUSH_URL: WebSocketUrl.default('ws://127.0.0.1:8492/'),
    ...FCM_PROBE_SETTINGS,
    UNIFIED_PUSH_URL: z.url({ protocol: /^https$/ }).optional(),
    UNIFIED_PUSH_TOKEN_FILE: z.string().min(1).optional(),
    PROBE_DEVICES: z.coerce.number().int().min(0).max(20).default(5),
    DEADMAN_URL: HttpUrl.optional(),
    STATUS_DIR: z.string().min(1).optional(),
    RUNBOOKS_URL: HttpUrl.or(z.literal('/runbooks')).default('/runbooks'),
    PERIOD_SECONDS: z.coerce.number().positive().max(60).default(60),
    STORED_PROBE_SECONDS: z.coerce.number().nonnegative().max(3600).default(300),
    NEGATIVE_CANARY_SECONDS: z.coerce.number().nonnegative().max(86_400).default(3600),
    LIMIT_SECONDS: z.coerce.number().positive().max(30).default(10),
  })
  .superRefine((env, context) => {
    for (const name of missingFcmSettings(env))
      context.addIssue({ code: 'custom', path: [name], message: 'is needed for FCM_PROBE=mcs' });
    const required = { INGESTS: env.INGESTS, DISPATCHERS: env.DISPATCHERS };
    for (const [name, peers] of Object.entries(required)) {
      if (peers.length === 0)
        context.addIssue({
          code: 'custom',
          path: [name],
          message: 'names no node: nothing to prove',
        });
    }
    if (env.EDGE_URL === undefined && env.EDGES.length === 0)
      context.addIssue({
        code: 'custom',
        path: ['EDGE_URL'],
        message: 'set it, or EDGES: the probes have to register somewhere',
      });
  })
  .transform((env) => {
    const nodeName = env.NODE_NAME ?? env.SITE;
    const others = env.EDGES.map(({ url }) => url);
    return {
      host: env.HOST,
      port: env.PORT,
      site: env.SITE,
      nodeName,
      dataDir: env.DATA_DIR,
      deployment: env.DEPLOYMENT,
      logLevel: env.LOG_LEVEL,
      ingests: env.INGESTS,
      dispatchers: env.DISPATCHERS,
      canaries: env.CANARIES.filter(({ name }) => name !== nodeName),
      edges: env.EDGES,
      /** Where probes register, in this order: the own site's edge first. */
      edgeUrls: [...new Set([...(env.EDGE_URL === undefined ? [] : [env.EDGE_URL]), ...others])],
      natsSites: env.NATS_SITES,
      internalTokenFile: env.INTERNAL_TOKEN_FILE,
      apiKeyFile: env.CANARY_API_KEY_FILE,
      sender: env.CANARY_SENDER ?? `canary-${nodeName}@alerte.example`,
      trustedKeysFile: env.TRUSTED_KEYS_FILE,
      otlpEndpoint: env.OTLP_ENDPOINT,
      vapidPublicKey: env.VAPID_PUBLIC_KEY,
      autopushUrl: env.AUTOPUSH_URL,
      fcmProbe: fcmProbeOf(env),
      unifiedPushUrl: env.UNIFIED_PUSH_URL,
      unifiedPushToken:
        env.UNIFIED_PUSH_TOKEN_FILE === undefined
          ? undefined
          : readTextFile(env.UNIFIED_PUSH_TOKEN_FILE, 'UNIFIED_PUSH_TOKEN_FILE'),
      /** 0: no probe pages. */
      maxDevices: env.PROBE_DEVICES,
      deadmanUrl: env.DEADMAN_URL,
      /** Where the public's page is written; undefined: nowhere. */
      statusDir: env.STATUS_DIR,
      runbooksUrl: env.RUNBOOKS_URL,
      periodMs: env.PERIOD_SECONDS * 1000,
      /** 0: no stored path. */
      storedPeriodMs: env.STORED_PROBE_SECONDS * 1000,
      /** 0: nothing is sent that must be refused. */
      refusingPeriodMs: env.NEGATIVE_CANARY_SECONDS * 1000,
      limitMs: env.LIMIT_SECONDS * 1000,
    };
  });

export type CanaryConfig = z.infer<typeof Env>;

/** The canary's settings from the environment. Throws ConfigError, which names everything that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): CanaryConfig {
  return parseEnv(Env, env);
}
