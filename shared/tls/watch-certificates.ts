import { errorFields } from '../log/error-fields.ts';
import type { Logger } from '../log/logger.ts';
import type { CredentialState } from '../receipt/credential.ts';
import type { Clock } from '../time/clock.ts';
import { sleep } from '../time/sleep.ts';
import type { SeenCertificate } from './look-at-certificate.ts';

/** A certificate that is looked at now and then. */
export interface WatchedCertificate {
  /** A bounded set of words: it becomes a metric label. Several places may share one. */
  readonly name: string;
  /** Tells apart places with the same name; not shown. */
  readonly key: string;
  readonly where: string;
  readonly look: (signal: AbortSignal) => Promise<SeenCertificate>;
}

export interface CertificateTiming {
  /** A certificate that is good is looked at again after this time. */
  readonly everyMs: number;
  /** One that is new, refused or was not seen is looked at this often. */
  readonly againMs: number;
}

export const CERTIFICATE_TIMING = {
  everyMs: 15 * 60_000,
  againMs: 60_000,
} as const satisfies CertificateTiming;

interface Deps {
  readonly log: Logger;
  readonly wallNow: Clock;
  readonly signal: AbortSignal;
}

/** At most so many are followed; what is no longer among the places falls out. */
const MAX_PLACES = 100;

/**
 * Looks at certificates one after the other, until the signal. What was seen is kept when a later look fails: an end does
 * not go away because a server does.
 */
export function watchCertificates(
  places: () => readonly WatchedCertificate[],
  { everyMs, againMs }: CertificateTiming,
  { log, wallNow, signal }: Deps,
): { readonly states: () => CredentialState[]; readonly running: Promise<void> } {
  const seen = new Map<string, CredentialState>();
  const goodUntilMs = new Map<string, number>();
  const look = async ({ name, key, where, look: lookAt }: WatchedCertificate): Promise<void> => {
    try {
      const { expiresAtMs, refusal } = await lookAt(signal);
      const nowMs = wallNow();
      const now = new Date(nowMs).toISOString();
      seen.set(key, {
        ...seen.get(key),
        name,
        kind: 'certificate',
        where,
        expiresAt: new Date(expiresAtMs).toISOString(),
        ...(refusal === undefined ? { lastProvedAt: now } : { lastRefusedAt: now }),
      });
      if (refusal === undefined) goodUntilMs.set(key, nowMs + everyMs);
      else log.warn({ credential: name, refusal }, 'a certificate is not good');
    } catch (error) {
      if (!signal.aborted)
        log.debug({ ...errorFields(error), credential: name }, 'a certificate was not seen');
    }
  };
  const run = async () => {
    do {
      const current = places().slice(0, MAX_PLACES);
      const keys = new Set(current.map(({ key }) => key));
      for (const key of [...seen.keys()].filter((each) => !keys.has(each))) {
        seen.delete(key);
        goodUntilMs.delete(key);
      }
      for (const place of current)
        if (!signal.aborted && (goodUntilMs.get(place.key) ?? 0) <= wallNow()) await look(place);
    } while (await sleep(againMs, signal));
  };
  return { states: () => [...seen.values()], running: run() };
}
