import type { CredentialState } from '../../../shared/receipt/credential.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { ApiKey } from '../keys/api-keys.ts';

/** Keys that have an end, and when each was last used here. */
export interface KeyStates {
  /** A request was let in by this key. */
  readonly used: (keyId: string) => void;
  readonly states: () => CredentialState[];
}

/**
 * API keys by the ids of the operator's file. A key without an end is no matter for who looks at ends; a signing key has
 * none: who trusts it is said in TRUSTED_KEYS_FILE, and a date there would put an end to alerts in force.
 */
export function createKeyStates(keys: readonly ApiKey[], node: string, now: Clock): KeyStates {
  const ending = keys.filter(({ expiresAt }) => expiresAt !== undefined);
  const usedAtMs = new Map<string, number>();
  return {
    used: (keyId) => usedAtMs.set(keyId, now()),
    states: () =>
      ending.map(({ id, expiresAt = '' }) => {
        const usedMs = usedAtMs.get(id);
        return {
          name: `api-key-${id.replaceAll(/[^A-Za-z0-9._:@/-]/g, '-')}`,
          kind: 'api-key',
          where: `ingest ${node}`,
          expiresAt: new Date(expiresAt).toISOString(),
          ...(usedMs === undefined ? {} : { lastProvedAt: new Date(usedMs).toISOString() }),
        };
      }),
  };
}
