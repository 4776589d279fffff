import { z } from 'zod';
import { Port, parseEnv } from '../../shared/config/parse-env.ts';
import { readTextFile } from '../../shared/config/read-file.ts';

export interface SandboxConfig {
  readonly host: string;
  /** 0 lets the system choose; the handle of the started sandbox tells which. */
  readonly httpsPort: number;
  readonly wsPort: number;
  readonly controlPort: number;
  /** Folder that keeps users, tokens and crowds over a restart. */
  readonly dataDir: string;
  readonly tls: { readonly keyPem: string; readonly certPem: string };
  /** The one service account that may get access tokens. */
  readonly serviceAccount: { readonly email: string; readonly publicKeyPem: string };
  readonly fcmProjectId: string;
}

const Environment = z.object({
  DEPLOYMENT: z.literal('development', {
    error: 'must be development: the sandbox takes messages and delivers them to nobody real',
  }),
  HOST: z.string().default('127.0.0.1'),
  HTTPS_PORT: Port.default(8491),
  WS_PORT: Port.default(8492),
  CONTROL_PORT: Port.default(8493),
  DATA_DIR: z.string().min(1),
  TLS_KEY_FILE: z.string().min(1),
  TLS_CERT_FILE: z.string().min(1),
  SERVICE_ACCOUNT_PUBLIC_KEY_FILE: z.string().min(1),
  SERVICE_ACCOUNT_EMAIL: z.email(),
  FCM_PROJECT_ID: z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'is not a project id'),
});

/** Settings of the sandbox. Throws ConfigError, also when this is a production deployment. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): SandboxConfig {
  const settings = parseEnv(Environment, env);
  return {
    host: settings.HOST,
    httpsPort: settings.HTTPS_PORT,
    wsPort: settings.WS_PORT,
    controlPort: settings.CONTROL_PORT,
    dataDir: settings.DATA_DIR,
    tls: {
      keyPem: readTextFile(settings.TLS_KEY_FILE, 'TLS_KEY_FILE'),
      certPem: readTextFile(settings.TLS_CERT_FILE, 'TLS_CERT_FILE'),
    },
    serviceAccount: {
      email: settings.SERVICE_ACCOUNT_EMAIL,
      publicKeyPem: readTextFile(
        settings.SERVICE_ACCOUNT_PUBLIC_KEY_FILE,
        'SERVICE_ACCOUNT_PUBLIC_KEY_FILE',
      ),
    },
    fcmProjectId: settings.FCM_PROJECT_ID,
  };
}
