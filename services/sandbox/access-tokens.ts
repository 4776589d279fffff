import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** Life of an access token, as Google gives it. */
export const ACCESS_TOKEN_SECONDS = 3599;

export interface AccessTokens {
  issue(nowMs: number): string;
  isValid(token: string, nowMs: number): boolean;
  /** Tokens that were issued until now are refused from now on. */
  revoke(nowMs: number): void;
}

/**
 * Access tokens that carry their own end under a keyed hash. The key is kept, because Google's tokens outlive a restart
 * of one of its servers, and senders hold them for an hour.
 */
export function createAccessTokens(db: DatabaseSync): AccessTokens {
  const key = keptSecret(db);
  const mac = (expires: string) =>
    createHmac('sha256', key).update(expires).digest('base64url').slice(0, 32);
  let revokedAtMs = Number.NEGATIVE_INFINITY;
  return {
    revoke: (nowMs) => {
      revokedAtMs = nowMs;
    },
    issue: (nowMs) => {
      const expires = String(nowMs + ACCESS_TOKEN_SECONDS * 1000);
      return `ya29.${expires}.${mac(expires)}`;
    },
    isValid: (token, nowMs) => {
      const [, expires, given] = /^ya29\.(\d{1,16})\.([A-Za-z0-9_-]{32})$/.exec(token) ?? [];
      if (expires === undefined || given === undefined) return false;
      if (!timingSafeEqual(Buffer.from(given), Buffer.from(mac(expires)))) return false;
      const issuedAtMs = Number(expires) - ACCESS_TOKEN_SECONDS * 1000;
      return Number(expires) > nowMs && issuedAtMs > revokedAtMs;
    },
  };
}

function keptSecret(db: DatabaseSync): string {
  db.prepare("INSERT OR IGNORE INTO secret (name, value) VALUES ('access-tokens', ?)").run(
    randomBytes(32).toString('base64url'),
  );
  const row = db.prepare("SELECT value FROM secret WHERE name = 'access-tokens'").get();
  return String(row?.['value']);
}
