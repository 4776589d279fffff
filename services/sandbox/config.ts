import { z } from 'zod';
import { Port, parseEnv } from '../../shared/config/parse-env.ts';
import { readTextFile } from '../../shared/config/read-file.ts';
import type { KeyAndCertificate } from './provider-server.ts';

export interface SandboxConfig {
  readonly host: string;
  /** 0 lets the system choose; the handle of the started sandbox tells which. */
  readonly httpsPort: number;
  readonly wsPort: number;
  readonly controlPort: number;
  /** FCM's stream to its devices (TLS). */
  readonly mcsPort: number;
  /** A self-hosted push service for UnifiedPush (HTTPS). */
  readonly unifiedPushPort: number;
  /** Folder that keeps users, tokens and crowds over a restart. */
  readonly dataDir: string;
  readonly tls: KeyAndCertificate;
  /** FCM and its token endpoint have this port to themselves; else all providers share the one. */
  readonly fcmHttpsPort?: number;
  /** `https://host:port` that push endpoints name; for a test that puts something in front of the port. */
  readonly pushOrigin?: string;
  /** What the switch `certificate` shows instead of the good one. */
  readonly badCertificates?: Partial<Record<'expired' | 'wrong-name', KeyAndCertificate>>;
  /** The one service account that may get access tokens. */
  readonly serviceAccount: { readonly email: string; readonly publicKeyPem: string };
  readonly fcmProjectId: string;
  /** The same project's number, which apps name when they register. */
  readonly fcmSenderId: string;
}

const DEFAULT_SENDER_ID = '100000000001';

const Environment = z.object({
  DEPLOYMENT: z.literal('development', {
    error: 'must be development: the sandbox takes messages and delivers them to nobody real',
  }),
  HOST: z.string().default('127.0.0.1'),
  HTTPS_PORT: Port.default(8491),
  FCM_HTTPS_PORT: Port.optional(),
  PUSH_ORIGIN: z.url({ protocol: /^https$/ }).optional(),
  /** PEM files, each a private key with its certificate. */
  TLS_EXPIRED_FILE: z.string().min(1).optional(),
  TLS_WRONG_NAME_FILE: z.string().min(1).optional(),
  WS_PORT: Port.default(8492),
  CONTROL_PORT: Port.default(8493),
  MCS_PORT: Port.default(8489),
  UNIFIED_PUSH_PORT: Port.default(8490),
  DATA_DIR: z.string().min(1),
  TLS_KEY_FILE: z.string().min(1),
  TLS_CERT_FILE: z.string().min(1),
  SERVICE_ACCOUNT_PUBLIC_KEY_FILE: z.string().min(1),
  SERVICE_ACCOUNT_EMAIL: z.email(),
  FCM_PROJECT_ID: z.string().regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'is not a project id'),
  FCM_SENDER_ID: z
    .string()
    .regex(/^\d{1,20}$/, 'is not a project number')
    .default(DEFAULT_SENDER_ID),
});

/** Settings of the sandbox. Throws ConfigError, also when this is a production deployment. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): SandboxConfig {
  const settings = parseEnv(Environment, env);
  const { FCM_HTTPS_PORT: fcmHttpsPort, PUSH_ORIGIN: pushOrigin } = settings;
  const both = (file: string, variable: string): KeyAndCertificate => {
    const pem = readTextFile(file, variable);
    return { keyPem: pem, certPem: pem };
  };
  const { TLS_EXPIRED_FILE: expired, TLS_WRONG_NAME_FILE: wrongName } = settings;
  const badCertificates = {
    ...(expired === undefined ? {} : { expired: both(expired, 'TLS_EXPIRED_FILE') }),
    ...(wrongName === undefined ? {} : { 'wrong-name': both(wrongName, 'TLS_WRONG_NAME_FILE') }),
  };
  return {
    ...(fcmHttpsPort === undefined ? {} : { fcmHttpsPort }),
    ...(pushOrigin === undefined ? {} : { pushOrigin }),
    ...(Object.keys(badCertificates).length === 0 ? {} : { badCertificates }),
    host: settings.HOST,
    httpsPort: settings.HTTPS_PORT,
    wsPort: settings.WS_PORT,
    controlPort: settings.CONTROL_PORT,
    mcsPort: settings.MCS_PORT,
    unifiedPushPort: settings.UNIFIED_PUSH_PORT,
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
    fcmSenderId: settings.FCM_SENDER_ID,
  };
}
