import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from './api-keys.ts';

export type Authentication =
  | { readonly kind: 'known'; readonly key: ApiKey }
  | { readonly kind: 'expired'; readonly expiresAt: string }
  | { readonly kind: 'unknown' };

/**
 * Whose key this is. Every stored hash is compared, each in constant time, so that the answer's delay says nothing about
 * which keys exist or how much of one was right.
 */
export function authenticate(
  clearKey: string | undefined,
  keys: readonly ApiKey[],
  nowMs: number,
): Authentication {
  if (clearKey === undefined) return { kind: 'unknown' };
  const given = createHash('sha256').update(clearKey).digest();
  let found: ApiKey | undefined;
  for (const key of keys) if (timingSafeEqual(given, Buffer.from(key.hash, 'hex'))) found = key;
  if (!found) return { kind: 'unknown' };
  if (found.expiresAt !== undefined && Date.parse(found.expiresAt) <= nowMs)
    return { kind: 'expired', expiresAt: found.expiresAt };
  return { kind: 'known', key: found };
}
