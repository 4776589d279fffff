import { z } from 'zod';
import { BusSites, Peers } from '../../shared/bus/bus-config.ts';
import { CommaList, Port, parseEnv } from '../../shared/config/parse-env.ts';
import { NodeName } from '../../shared/envelope/envelope.ts';
import { OtlpEndpoint } from '../../shared/trace/otlp-endpoint.ts';

const EdgeEnv = z
  .object({
    HOST: z.string().default('127.0.0.1'),
    PORT: Port.default(8404),
    SITE: NodeName,
    NODE_NAME: NodeName.optional(),
    DATA_DIR: z.string().min(1),
    NATS_SITES: BusSites,
    DISPATCHERS: Peers,
    INTERNAL_TOKEN_FILE: z.string().min(1),
    TRUSTED_KEYS_FILE: z.string().min(1),
    OTLP_ENDPOINT: OtlpEndpoint,
    /** The public half only: a point of P-256, uncompressed (RFC 8292 section 3.2). */
    VAPID_PUBLIC_KEY: z
      .string()
      .regex(
        /^B[A-Za-z0-9_-]{86}$/,
        'must be an uncompressed P-256 point as base64url (87 characters)',
      ),
    EXTRA_PUSH_ORIGINS: CommaList,
    DEPLOYMENT: z.enum(['production', 'development']).default('production'),
    /** Registrations that one address may make in a minute. */
    REGISTRATIONS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(60),
    /** Addresses or networks whose X-Forwarded-For is believed. Empty: nobody's. */
    TRUSTED_PROXIES: CommaList,
    LOG_LEVEL: z.string().default('info'),
  })
  .transform(({ NODE_NAME, ...env }) => ({ ...env, NODE_NAME: NODE_NAME ?? env.SITE }));

export type EdgeConfig = z.infer<typeof EdgeEnv>;

/** Settings of the edge from the environment. Throws ConfigError, which names everything that is wrong. */
export function readEdgeConfig(env: Readonly<Record<string, string | undefined>>): EdgeConfig {
  return parseEnv(EdgeEnv, env);
}
