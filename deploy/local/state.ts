import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import webPush from 'web-push';
import { z } from 'zod';
import { readJsonFile } from '../../shared/config/read-file.ts';
import { KeySet, SigningKey, type TrustedKey } from '../../shared/envelope/key-set.ts';
import { NATS_USERS, natsServerConfig } from '../nats/server-config.ts';
import { makeAuthority, makeLocalhostCertificate } from './certificate.ts';
import { filesOf, type Layout, providersOrigin, sandboxControlUrl, urlOf } from './layout.ts';
import { jsonText, keepFile, writePrivateFile } from './state-file.ts';

const RENEW_BEFORE_MS = 30 * 24 * 60 * 60 * 1000;
export const SANDBOX_PROJECT = 'tocsin-sandbox';
export const SANDBOX_PROJECT_NUMBER = '100000000001';
export const SANDBOX_ACCOUNT = `tocsin@${SANDBOX_PROJECT}.iam.gserviceaccount.com`;

/** An API key as ingest reads it: the clear key's hash and what it may send. */
const ApiKeyEntry = z.looseObject({ id: z.string(), hash: z.string() });
const ApiKeyFile = z.object({ keys: z.array(ApiKeyEntry) });
const VapidKeys = z.object({ subject: z.string(), publicKey: z.string(), privateKey: z.string() });

/**
 * Makes what is missing in the state folder (keys, tokens, certificates, configuration) and keeps what is there, so that
 * a second start, with more sites or other ports, goes on from the first.
 */
export function prepareState(layout: Layout, nowMs: number): void {
  const files = filesOf(layout.stateDir);
  keepFile(files.internalToken, () => `${randomSecret()}\n`);
  keepFile(files.vapid, () =>
    jsonText({ subject: 'mailto:ops@tocsin.example', ...webPush.generateVAPIDKeys() }),
  );
  prepareServiceAccount(layout);
  prepareTls(layout.stateDir, nowMs);
  for (const site of layout.sites) {
    for (const audience of ['public', 'canary'] as const)
      keepFile(files.signingKey(site.name, audience), () => makeSigningKey(site.name, audience));
    const passwords = Object.fromEntries(
      NATS_USERS.map((user) => [
        user,
        keepFile(files.natsPassword(site.name, user), randomSecret).trim(),
      ]),
    ) as Record<(typeof NATS_USERS)[number], string>;
    const config = natsServerConfig({
      serverName: `tocsin-${site.name}`,
      host: layout.host,
      port: site.ports.nats,
      monitorPort: site.ports.natsMonitor,
      storeDir: files.natsStore(site.name),
      passwords,
    });
    writePrivateFile(files.natsConfig(site.name), config);
  }
  writeTrustedKeys(layout.stateDir);
  writeApiKeys(layout);
  writeCliFile(layout);
}

/** The public half of the VAPID keys, which browsers subscribe with. */
export function vapidPublicKey(stateDir: string): string {
  return readJsonFile(filesOf(stateDir).vapid, VapidKeys, 'VAPID keys').publicKey;
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

function makeSigningKey(site: string, audience: 'public' | 'canary'): string {
  const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return jsonText(SigningKey.parse({ kty, crv, x, d, kid: `${site}-${audience}-1`, audience }));
}

/** A service account in Google's format; Google does not know it, the sandbox does. Its token address follows the ports. */
function prepareServiceAccount(layout: Layout): void {
  const { serviceAccount: path, serviceAccountPublicKey } = filesOf(layout.stateDir);
  const Account = z.looseObject({ private_key: z.string() });
  const kept = existsSync(path)
    ? readJsonFile(path, Account, 'service account')
    : makeServiceAccount();
  writePrivateFile(path, jsonText({ ...kept, token_uri: `${providersOrigin(layout)}/token` }));
  const publicKey = createPublicKey(Account.parse(kept).private_key).export({
    type: 'spki',
    format: 'pem',
  });
  writePrivateFile(serviceAccountPublicKey, publicKey.toString());
}

function makeServiceAccount(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    type: 'service_account',
    project_id: SANDBOX_PROJECT,
    private_key_id: randomBytes(20).toString('hex'),
    private_key: privateKey,
    client_email: SANDBOX_ACCOUNT,
    client_id: '100000000000000000000',
  };
}

function prepareTls(stateDir: string, nowMs: number): void {
  const files = filesOf(stateDir);
  const fresh = (path: string) =>
    existsSync(path) &&
    Date.parse(new X509Certificate(readFileSync(path)).validTo) - nowMs > RENEW_BEFORE_MS;
  if (!fresh(files.caCert) || !existsSync(files.caKey)) {
    const authority = makeAuthority(nowMs);
    writePrivateFile(files.caKey, authority.privateKey);
    writePrivateFile(files.caCert, authority.certificate);
    writeLocalhost(stateDir, nowMs);
  } else if (!fresh(files.tlsCert) || !existsSync(files.tlsKey)) {
    writeLocalhost(stateDir, nowMs);
  }
}

function writeLocalhost(stateDir: string, nowMs: number): void {
  const files = filesOf(stateDir);
  const authority = {
    certificate: readFileSync(files.caCert, 'utf8'),
    privateKey: readFileSync(files.caKey, 'utf8'),
  };
  const server = makeLocalhostCertificate(authority, nowMs);
  writePrivateFile(files.tlsKey, server.privateKey);
  writePrivateFile(files.tlsCert, server.certificate);
}

/** The public halves of all signing keys in the folder, and whatever somebody added to the set by hand. */
function writeTrustedKeys(stateDir: string): void {
  const files = filesOf(stateDir);
  const own = readdirSync(files.keysDir)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name): TrustedKey => {
      const { d: _secret, ...key } = readJsonFile(
        join(files.keysDir, name),
        SigningKey,
        'signing key',
      );
      return key;
    });
  const before = existsSync(files.trustedKeys)
    ? readJsonFile(files.trustedKeys, KeySet, 'trusted keys').keys
    : [];
  const added = before.filter(({ kid }) => !own.some((key) => key.kid === kid));
  writePrivateFile(files.trustedKeys, jsonText({ keys: [...own, ...added] }));
}

/** Keys of the demonstration's prefecture, of drills (Test alone) and of each site's canary; entries that somebody added stay. */
function writeApiKeys(layout: Layout): void {
  const files = filesOf(layout.stateDir);
  const hashOf = (id: string) => {
    const clear = keepFile(files.apiKey(id), () => `tocsin_${randomSecret()}\n`).trim();
    return createHash('sha256').update(clear).digest('hex');
  };
  const own = [
    {
      id: 'pref06',
      hash: hashOf('pref06'),
      sender: 'pref06@alerte.example',
      territory: ['06'],
      statuses: ['Actual', 'Exercise'],
      maxSeverity: 'Extreme',
    },
    ...layout.sites.map(({ name }) => ({
      id: `canary-${name}`,
      hash: hashOf(`canary-${name}`),
      sender: `canary-${name}@alerte.example`,
      territory: ['ZZ999'],
      statuses: ['Test'],
      maxSeverity: 'Extreme',
    })),
    {
      id: 'drill',
      hash: hashOf('drill'),
      sender: 'drill@alerte.example',
      territory: ['ZZ999'],
      statuses: ['Test'],
      maxSeverity: 'Extreme',
    },
  ];
  const before = existsSync(files.apiKeys)
    ? readJsonFile(files.apiKeys, ApiKeyFile, 'API keys').keys
    : [];
  const added = before.filter(({ id }) => !own.some((key) => key.id === id));
  writePrivateFile(files.apiKeys, jsonText({ keys: [...own, ...added] }));
}

/** What the command line reads: where everything answers, and which files hold the keys. */
function writeCliFile(layout: Layout): void {
  const files = filesOf(layout.stateDir);
  const [ingests, dispatchers, edges, canaries] = (
    ['ingest', 'dispatcher', 'edge', 'canary'] as const
  ).map((kind) =>
    layout.sites.map((site) => ({ name: site.name, site: site.name, url: urlOf(site, kind) })),
  );
  const cli = {
    ingests,
    dispatchers,
    edges,
    canaries,
    sandboxControl: sandboxControlUrl(layout),
    control: `http://127.0.0.1:${layout.controlPort}`,
    keyFile: files.apiKey('pref06'),
    drillKeyFile: files.apiKey('drill'),
    internalTokenFile: files.internalToken,
    trustedKeysFile: files.trustedKeys,
  };
  writePrivateFile(files.cliFile, jsonText(cli));
}
