import { z } from 'zod';
import type { Audience } from '../../shared/alert/audience.ts';
import { BusSites, Peers } from '../../shared/bus/bus-config.ts';
import { ConfigError, Port, parseEnv } from '../../shared/config/parse-env.ts';
import { readJsonFile, readTextFile } from '../../shared/config/read-file.ts';
import { NodeName } from '../../shared/envelope/envelope.ts';
import { KeySet, SigningKey } from '../../shared/envelope/key-set.ts';
import { OtlpEndpoint } from '../../shared/trace/otlp-endpoint.ts';
import { ApiKeyFile } from './keys/api-keys.ts';

const Settings = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: Port.default(8401),
  SITE: NodeName,
  NODE_NAME: NodeName.optional(),
  DATA_DIR: z.string().min(1),
  NATS_SITES: BusSites,
  INGESTS: Peers,
  DISPATCHERS: Peers,
  CANARIES: Peers,
  EDGES: Peers,
  INTERNAL_TOKEN_FILE: z.string(),
  API_KEYS_FILE: z.string(),
  PUBLIC_SIGNING_KEY_FILE: z.string(),
  CANARY_SIGNING_KEY_FILE: z.string(),
  TRUSTED_KEYS_FILE: z.string(),
  DEPLOYMENT: z.enum(['production', 'development']).default('production'),
  LOG_LEVEL: z.string().default('info'),
  OTLP_ENDPOINT: OtlpEndpoint,
});

/** Everything an ingest runs with, secrets read. */
export type IngestConfig = ReturnType<typeof readIngestConfig>;

/**
 * Environment and the files it names → config. Throws one ConfigError that lists everything that is wrong. A signing key
 * that is missing, unreadable or not trusted by the devices is such an error: there is no way to run without (P8).
 */
export function readIngestConfig(env: Readonly<Record<string, string | undefined>>) {
  const settings = parseEnv(Settings, env);
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const internalToken = attempt(() =>
    readTextFile(settings.INTERNAL_TOKEN_FILE, 'INTERNAL_TOKEN_FILE'),
  );
  const apiKeys = attempt(() => readJsonFile(settings.API_KEYS_FILE, ApiKeyFile, 'API_KEYS_FILE'));
  const trustedKeys = attempt(() =>
    readJsonFile(settings.TRUSTED_KEYS_FILE, KeySet, 'TRUSTED_KEYS_FILE'),
  );
  const signing = (path: string, variable: string, audience: Audience) =>
    attempt(() => readSigningKey({ path, variable, audience }, trustedKeys));
  const publicKey = signing(settings.PUBLIC_SIGNING_KEY_FILE, 'PUBLIC_SIGNING_KEY_FILE', 'public');
  const canaryKey = signing(settings.CANARY_SIGNING_KEY_FILE, 'CANARY_SIGNING_KEY_FILE', 'canary');
  if (!internalToken || !apiKeys || !trustedKeys || !publicKey || !canaryKey)
    throw new ConfigError(
      `ingest cannot start:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
  return {
    host: settings.HOST,
    port: settings.PORT,
    site: settings.SITE,
    node: settings.NODE_NAME ?? settings.SITE,
    dataDir: settings.DATA_DIR,
    natsSites: settings.NATS_SITES,
    ingests: settings.INGESTS,
    dispatchers: settings.DISPATCHERS,
    canaries: settings.CANARIES,
    edges: settings.EDGES,
    development: settings.DEPLOYMENT === 'development',
    ...(settings.OTLP_ENDPOINT === undefined ? {} : { otlpEndpoint: settings.OTLP_ENDPOINT }),
    internalToken,
    apiKeys: apiKeys.keys,
    trustedKeys,
    signingKeys: { public: publicKey, canary: canaryKey } satisfies Record<Audience, SigningKey>,
  };
}

function readSigningKey(
  what: { path: string; variable: string; audience: Audience },
  trusted: KeySet | undefined,
): SigningKey {
  const key = readJsonFile(what.path, SigningKey, what.variable);
  if (key.audience !== what.audience)
    throw new ConfigError(
      `${what.variable}: ${what.path} signs for "${key.audience}", not "${what.audience}"`,
    );
  const known = trusted?.keys.some(
    (each) => each.kid === key.kid && each.x === key.x && each.audience === key.audience,
  );
  if (trusted && !known)
    throw new ConfigError(
      `${what.variable}: key ${key.kid} is not in TRUSTED_KEYS_FILE, so every device would refuse what it signs`,
    );
  return key;
}
