import type { Alert } from './alert.ts';
import type { Audience } from './audience.ts';

/** The longest life of a public alert. */
export const MAX_LIFE_SECONDS = 24 * 3600;
/** A canary older than this proves nothing about now. */
export const CANARY_MAX_LIFE_SECONDS = 120;
/** How far a clock may be ahead of ours before `sent` counts as the future. */
export const CLOCK_TOLERANCE_SECONDS = 300;

/** The instant (ms) at which the alert ends: the earliest `expires` of its infos, and never past its longest life. */
export function expiresAtMs(alert: Alert, audience: Audience): number {
  const life = audience === 'canary' ? CANARY_MAX_LIFE_SECONDS : MAX_LIFE_SECONDS;
  const ends = alert.info.map((info) => Date.parse(info.expires));
  return Math.min(Date.parse(alert.sent) + life * 1000, ...ends);
}

/** Whole seconds left at `nowMs`; 0 means: too late, never ring (P3). */
export function remainingSeconds(expiresMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((expiresMs - nowMs) / 1000));
}
