import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { Clock } from '../../../shared/time/clock.ts';
import { headerOf, type ProviderAnswer, type ProviderRequest } from '../provider-answer.ts';

/** Life of an installation's token, as Firebase gives it: a week. */
const TOKEN_SECONDS = 604_800;
const PATH = /^\/v1\/projects\/([^/]{1,100})\/installations$/;

/** firebase.google.com, "Firebase installations"; the body as the Android library writes it. */
const InstallationRequest = z.object({
  fid: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  appId: z.string().min(1).max(200),
  authVersion: z.literal('FIS_v2'),
  sdkVersion: z.string().max(50),
});

export interface Installations {
  readonly answer: (request: ProviderRequest) => ProviderAnswer;
  /** Was this token given here, and is it still alive? */
  readonly isValid: (token: string) => boolean;
}

/** True for the address at which an app makes itself an installation. */
export function isInstallationsPath(path: string): boolean {
  return PATH.test(path);
}

/** Stands in for firebaseinstallations.googleapis.com: an app that wants FCM tokens is an installation first. */
export function createInstallations(
  db: DatabaseSync,
  { projectId, now }: { projectId: string; now: Clock },
): Installations {
  const key = keptKey(db);
  const mac = (text: string) => createHmac('sha256', key).update(text).digest('base64url');
  const refuse = (code: number, status: string): ProviderAnswer => ({
    status: code,
    headers: {},
    body: { error: { code, status, message: status } },
  });
  return {
    answer: (request) => {
      if (!headerOf(request, 'x-goog-api-key')) return refuse(403, 'PERMISSION_DENIED');
      if (PATH.exec(request.path)?.[1] !== projectId) return refuse(404, 'NOT_FOUND');
      const parsed = InstallationRequest.safeParse(parseJson(request.body));
      if (!parsed.success) return refuse(400, 'INVALID_ARGUMENT');
      const { fid } = parsed.data;
      const signed = `${fid}.${now() + TOKEN_SECONDS * 1000}`;
      const authToken = { token: `${signed}.${mac(signed)}`, expiresIn: `${TOKEN_SECONDS}s` };
      const refreshToken = `3_${mac(fid)}`;
      const name = `projects/${projectId}/installations/${fid}`;
      return { status: 200, headers: {}, body: { name, fid, refreshToken, authToken } };
    },
    isValid: (token) => {
      const [, signed, end, given] =
        /^([A-Za-z0-9_-]{22}\.(\d{1,16}))\.([A-Za-z0-9_-]{43})$/.exec(token) ?? [];
      if (signed === undefined || given === undefined) return false;
      return timingSafeEqual(Buffer.from(given), Buffer.from(mac(signed))) && Number(end) > now();
    },
  };
}

function keptKey(db: DatabaseSync): string {
  db.prepare("INSERT OR IGNORE INTO secret (name, value) VALUES ('installations', ?)").run(
    randomBytes(32).toString('base64url'),
  );
  const row = db.prepare("SELECT value FROM secret WHERE name = 'installations'").get();
  return String(row?.['value']);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
