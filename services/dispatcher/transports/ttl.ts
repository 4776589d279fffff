/** FCM keeps a message for at most 28 days, and so do the push services in use (28 to 30). */
export const MAX_TTL_SECONDS = 2_419_200;

/** Whole seconds that a message may still be kept, or undefined when its time is up. */
export function ttlSeconds(expiresAtMs: number, nowMs: number): number | undefined {
  if (expiresAtMs <= nowMs) return undefined;
  return Math.min(MAX_TTL_SECONDS, Math.floor((expiresAtMs - nowMs) / 1000));
}
