/**
 * FCM's default quota: 600,000 messages a minute for one project, refilled at the end of each minute, minutes not
 * aligned to the clock; 4xx answers count, 429 do not. Source: firebase.google.com/docs/cloud-messaging/throttling-and-quotas.
 */
export const FCM_QUOTA_PER_MINUTE = 600_000;

/**
 * Seconds from a standing start to the full rate. Google advises 60 at least ("Scale your FCM sends"); that is advice
 * about load, not a rule by which messages are refused. Sixty seconds would bring the last of 100,000 phones their alert
 * 20 s later than no ramp, ten bring it 5 s later: ten is our choice, and who agrees on another one with Google sets it.
 */
export const FCM_RAMP_SECONDS = 10;

/**
 * The quota is spent at a rate that leaves one second of each minute free, because nobody knows where Google's minute
 * begins: half of that second may go at once after a rest, the other half is for what nodes know of each other too late.
 */
const FREE_SECONDS = 1;
/** Of the full rate, what may go at once: a commune's phones are not made to wait for a ramp. */
export const BURST_SECONDS = 0.5;
/** Part of the full rate at which a ramp begins. */
export const RAMP_START_SHARE = 0.1;

/** A rest of this length undoes a whole ramp. */
export const RAMP_DECAY_SECONDS = 60;

/** Sends a second, for all nodes of a project together, that never pass the quota in any 60 s. */
export function fullRatePerSecond(quotaPerMinute: number): number {
  return quotaPerMinute / (60 + FREE_SECONDS);
}

/** Part of the full rate that is allowed at this point of the ramp: 0 is a standing start, 1 its end. */
export function rampShare(ramp: number): number {
  return RAMP_START_SHARE + (1 - RAMP_START_SHARE) * ramp;
}
