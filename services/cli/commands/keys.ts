import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import webPush from 'web-push';
import { z } from 'zod';
import { AreaCode } from '../../../shared/alert/area.ts';
import { SEVERITIES } from '../../../shared/alert/cap-values.ts';
import { readJsonFile } from '../../../shared/config/read-file.ts';
import { KeySet, SigningKey, TrustedKey } from '../../../shared/envelope/key-set.ts';
import { problemLine } from '../call-ingest.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { Terminal } from '../terminal.ts';
import type { Texts } from '../texts-fr.ts';

export interface KeyDeps {
  readonly terminal: Terminal;
  readonly texts: Texts;
}

/** An entry of ingest's key file. Ingest has the last word on it; unknown fields of others' entries are kept. */
const NewApiKey = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]{1,60}$/),
  hash: z.string(),
  sender: z.string().regex(/^[^\s,<&]{1,120}$/),
  territory: z.array(AreaCode).min(1),
  statuses: z.array(z.enum(['Actual', 'Exercise', 'Test'])).min(1),
  maxSeverity: z.enum(SEVERITIES),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});
const KnownApiKey = z.looseObject({
  id: z.string(),
  sender: z.string(),
  territory: z.array(z.string()),
  statuses: z.array(z.string()),
  maxSeverity: z.string().optional(),
  expiresAt: z.string().optional(),
});
const ApiKeyFile = z.looseObject({ keys: z.array(KnownApiKey) });

export interface NewApiOptions {
  readonly id: string;
  readonly sender: string;
  readonly territory: string;
  readonly statuses: string;
  readonly maxSeverity: string;
  readonly expiresAt?: string;
  readonly append?: string;
}

/** `tocsin keys new-api`: the clear key is shown once and kept nowhere; ingest only ever knows its hash. */
export function newApiKey(options: NewApiOptions, { terminal, texts }: KeyDeps): void {
  const clear = `tocsin_${randomBytes(32).toString('base64url')}`;
  const { append, expiresAt } = options;
  const entry = parseKey(
    NewApiKey,
    {
      id: options.id,
      hash: createHash('sha256').update(clear).digest('hex'),
      sender: options.sender,
      territory: listOf(options.territory),
      statuses: listOf(options.statuses),
      maxSeverity: options.maxSeverity,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
    texts,
  );
  if (append !== undefined) appendKey(append, entry, texts);
  terminal.out(`${texts.keyMade(entry.id)}\n${clear}\n${texts.keyEntry}\n${jsonText(entry)}`);
  if (append !== undefined) terminal.out(`${texts.keyAppended(append)}\n`);
}

function appendKey(path: string, entry: z.infer<typeof NewApiKey>, texts: Texts): void {
  const before = existsSync(path) ? readJsonFile(path, ApiKeyFile, '--append') : { keys: [] };
  if (before.keys.some(({ id }) => id === entry.id))
    throw new CliError(EXIT.refused, [texts.keyExists(entry.id, path)]);
  const partial = `${path}.partial`;
  writeFileSync(partial, jsonText({ ...before, keys: [...before.keys, entry] }), { mode: 0o600 });
  renameSync(partial, path);
}

export interface NewSigningOptions {
  readonly audience: string;
  readonly kid: string;
  readonly out?: string;
}

/** `tocsin keys new-signing`: an Ed25519 pair; the private half goes to a file that is never overwritten. */
export function newSigningKey(
  options: NewSigningOptions,
  folder: string,
  { terminal, texts }: KeyDeps,
): void {
  const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const key = parseKey(
    SigningKey,
    { kty, crv, x, d, kid: options.kid, audience: options.audience },
    texts,
  );
  const { d: _private, ...publicKey } = key;
  const path = options.out ?? join(folder, 'keys', `${key.kid.replaceAll(/[^\w.-]/g, '_')}.json`);
  writeSecret(path, jsonText(key), texts);
  terminal.out(
    `${texts.privateWritten(path)}\n${texts.publicPart}\n${jsonText(TrustedKey.parse(publicKey))}`,
  );
}

export interface VapidOptions {
  readonly subject: string;
  readonly out?: string;
}

/** `tocsin keys vapid`: the pair with which dispatchers sign for push services (RFC 8292). */
export function newVapidKeys(
  options: VapidOptions,
  folder: string,
  { terminal, texts }: KeyDeps,
): void {
  if (!/^(mailto:.+@.+|https:\/\/.+)/.test(options.subject))
    throw new CliError(EXIT.usage, [texts.badOption('--subject', 'mailto:… / https://…')]);
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  const path = options.out ?? join(folder, 'keys', 'vapid.json');
  writeSecret(path, jsonText({ subject: options.subject, publicKey, privateKey }), texts);
  terminal.out(`${texts.privateWritten(path)}\n${texts.vapidPublic}\n${publicKey}\n`);
}

/** `tocsin keys list`: names and powers, never a hash or a private part. */
export function listKeys(
  files: { apiKeys: string; trustedKeys: string },
  { terminal, texts }: KeyDeps,
): void {
  const present = [files.apiKeys, files.trustedKeys].filter((path) => existsSync(path));
  if (present.length === 0)
    throw new CliError(EXIT.usage, [
      texts.unreadable(files.apiKeys),
      texts.unreadable(files.trustedKeys),
    ]);
  if (present.includes(files.apiKeys)) {
    terminal.out(`${texts.apiKeysTitle(files.apiKeys)}\n`);
    for (const key of readJsonFile(files.apiKeys, ApiKeyFile, '--api-keys').keys) {
      const powers = `${key.sender} · ${key.territory.join(',')} · ${key.statuses.join(',')} · ${key.maxSeverity ?? '-'}`;
      const until = key.expiresAt === undefined ? '' : texts.keyExpires(key.expiresAt);
      terminal.out(`  ${key.id.padEnd(16)} ${powers}${until}\n`);
    }
  }
  if (present.includes(files.trustedKeys)) {
    terminal.out(`${texts.signingKeysTitle(files.trustedKeys)}\n`);
    for (const key of readJsonFile(files.trustedKeys, KeySet, 'trustedKeysFile').keys)
      terminal.out(`  ${key.kid.padEnd(16)} ${key.audience}\n`);
  }
}

function parseKey<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  texts: Texts,
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) =>
    problemLine({ field: issue.path.join('.'), message: issue.message }),
  );
  throw new CliError(EXIT.usage, [texts.wrongKey, ...lines]);
}

/** For its owner alone, and never over a file that is there: an overwritten signing key is lost for good. */
function writeSecret(path: string, text: string, texts: Texts): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new CliError(EXIT.refused, [texts.fileExists(path)], error);
    throw error;
  }
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
