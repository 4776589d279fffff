import { z } from 'zod';
import { BusSites, Peers } from '../../shared/bus/bus-config.ts';
import { Port, parseEnv } from '../../shared/config/parse-env.ts';
import { NodeName } from '../../shared/envelope/envelope.ts';
import { OtlpEndpoint } from '../../shared/trace/otlp-endpoint.ts';
import { pacingEnv } from './pacing/config.ts';
import { topicsEnv } from './topics/config.ts';
import { transportsEnv } from './transports/registry.ts';

const DispatcherEnv = z.object({
  SITE: NodeName,
  NODE_NAME: NodeName.optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: Port.default(8402),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  DEPLOYMENT: z.enum(['production', 'development']).default('production'),
  DATA_DIR: z.string().min(1),
  NATS_SITES: BusSites,
  /** Every dispatcher of every site, this one among them. */
  DISPATCHERS: Peers,
  /** Whose proofs it waits for before it calls itself ready; none: nobody's. */
  CANARIES: Peers,
  INTERNAL_TOKEN_FILE: z.string().min(1),
  TRUSTED_KEYS_FILE: z.string().min(1),
  OTLP_ENDPOINT: OtlpEndpoint,
  ...transportsEnv,
  ...pacingEnv,
  ...topicsEnv,
});

export type DispatcherConfig = z.infer<typeof DispatcherEnv> & { readonly NODE_NAME: string };

/** Throws ConfigError, which names every variable that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): DispatcherConfig {
  const config = parseEnv(DispatcherEnv, env);
  return { ...config, NODE_NAME: config.NODE_NAME ?? config.SITE };
}
