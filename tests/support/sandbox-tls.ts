import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxConfig } from '../../services/sandbox/config.ts';
import { startSandbox } from '../../services/sandbox/start-sandbox.ts';
import { createLogger } from '../../shared/log/logger.ts';

interface SandboxTls {
  readonly keyPem: string;
  readonly certPem: string;
  /** What a client has to trust. */
  readonly caPem: string;
}

/** A throw-away CA and its certificate for `localhost` and 127.0.0.1, valid for two days, made by openssl. */
function createSandboxTls(): SandboxTls {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-tls-'));
  const file = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const openssl = (...args: string[]) =>
    execFileSync('openssl', ['req', '-x509', ...newKey, '-days', '2', ...args], { stdio: 'pipe' });
  try {
    openssl('-subj', '/CN=Tocsin test CA', '-keyout', file('ca.key'), '-out', file('ca.pem'));
    openssl(
      ...['-subj', '/CN=localhost', '-CA', file('ca.pem'), '-CAkey', file('ca.key')],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-keyout', file('key.pem'), '-out', file('cert.pem')],
    );
    const read = (name: string) => readFileSync(file(name), 'utf8');
    return { keyPem: read('key.pem'), certPem: read('cert.pem'), caPem: read('ca.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A service account as in Google's credentials file, with the public half that the sandbox checks against. */
export interface TestServiceAccount {
  readonly email: string;
  readonly projectId: string;
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
  /** Content of a credentials file, as firebase-admin reads it. */
  readonly credentials: Readonly<Record<string, string>>;
}

export function createTestServiceAccount(projectId = 'tocsin-test'): TestServiceAccount {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const email = `sender@${projectId}.iam.gserviceaccount.com`;
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    email,
    projectId,
    privateKeyPem,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    credentials: {
      type: 'service_account',
      project_id: projectId,
      private_key_id: 'test',
      private_key: privateKeyPem,
      client_email: email,
      client_id: '1',
      token_uri: 'https://oauth2.googleapis.com/token',
    },
  };
}

export interface TestSandbox {
  readonly httpsPort: number;
  readonly wsPort: number;
  readonly controlPort: number;
  readonly mcsPort: number;
  /** `https://localhost:<port>`: FCM, OAuth and Web Push. */
  readonly origin: string;
  /** `ws://127.0.0.1:<port>`. */
  readonly receiversUrl: string;
  /** `https://localhost:<port>`: the self-hosted push service. */
  readonly unifiedPushOrigin: string;
  readonly controlUrl: string;
  readonly caPem: string;
  readonly serviceAccount: TestServiceAccount;
  readonly config: SandboxConfig;
  /** As they were bound. */
  readonly ports: { readonly httpsPort: number; readonly fcmHttpsPort?: number };
  /** Stops it; the data stays, so that `startTestSandbox(sandbox)` goes on where it ended. */
  readonly close: () => Promise<void>;
  /** Stops it and deletes its data. */
  readonly destroy: () => Promise<void>;
}

type Kept = Pick<TestSandbox, 'config' | 'serviceAccount' | 'caPem'>;

/** A sandbox on ports of the system's choice, in a folder of its own; or, given an earlier one, on that one's data and ports. */
export async function startTestSandbox(earlier?: Kept): Promise<TestSandbox> {
  const kept = earlier ?? createKept();
  const { config } = kept;
  const { close, ...ports } = await startSandbox(
    config,
    createLogger('sandbox', 'test', process.env['LOG_LEVEL'] ?? 'silent'),
  );
  return {
    ...kept,
    ...ports,
    ports,
    config: { ...config, ...ports },
    origin: `https://localhost:${ports.httpsPort}`,
    receiversUrl: `ws://127.0.0.1:${ports.wsPort}`,
    unifiedPushOrigin: `https://localhost:${ports.unifiedPushPort}`,
    controlUrl: `http://127.0.0.1:${ports.controlPort}`,
    close,
    destroy: async () => {
      await close();
      rmSync(config.dataDir, { recursive: true, force: true });
    },
  };
}

function createKept(): Kept {
  const { caPem, ...tls } = createSandboxTls();
  const serviceAccount = createTestServiceAccount();
  const config: SandboxConfig = {
    host: '127.0.0.1',
    httpsPort: 0,
    wsPort: 0,
    controlPort: 0,
    unifiedPushPort: 0,
    mcsPort: 0,
    dataDir: mkdtempSync(join(tmpdir(), 'tocsin-sandbox-')),
    tls,
    serviceAccount: { email: serviceAccount.email, publicKeyPem: serviceAccount.publicKeyPem },
    fcmProjectId: serviceAccount.projectId,
    fcmSenderId: '100000000001',
  };
  return { config, serviceAccount, caPem };
}
