import type { Alert } from '../alert/alert.ts';
import { canonicalJson } from './canonical-json.ts';

/** SHA-256 of a text, base64url without padding (43 characters). */
async function sha256Base64url(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

/** Binds the whole CAP message: what was approved is what is sent (P7). */
export function contentHash(alert: Alert): Promise<string> {
  return sha256Base64url(canonicalJson(alert));
}

/** Binds the audience: the sorted area codes (P7). */
export function areaHash(areaCodes: readonly string[]): Promise<string> {
  return sha256Base64url(canonicalJson([...areaCodes].sort()));
}
