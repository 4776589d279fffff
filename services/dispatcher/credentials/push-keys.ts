import type { CredentialState } from '../../../shared/receipt/credential.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { Outcome } from '../transports/transport.ts';
import { type PushServiceClass, pushServiceClass } from './push-service-class.ts';

/** How exactly the instant of the last acceptance is kept; it is never said to be younger than it is. */
const TICK_MS = 5_000;
/** Acceptances that are looked at in a tick: a fan-out has thousands, and says the same thousands of times. */
const LOOKED_AT = 200;
/** After a refusal every acceptance counts for this long. */
const AFTER_REFUSAL_MS = 60_000;

const FCM = 'fcm-service-account';
type PushKeyName = typeof FCM | `vapid-${PushServiceClass}`;

interface Key {
  acceptedAtMs: number | undefined;
  refusedAtMs: number | undefined;
  /** Accepted since the last tick. */
  isAccepted: boolean;
}

/**
 * What push providers make of our credentials: FCM of the service account, each maker's push services of our VAPID key.
 * Told of every send, so it looks at few: `accepted` wins nothing by being counted.
 */
export class PushKeys {
  readonly #now: Clock;
  readonly #where: string;
  readonly #keys = new Map<PushKeyName, Key>();
  readonly #ticker: NodeJS.Timeout;
  #tickedAtMs: number;
  #left = LOOKED_AT;
  #lookUntilMs = 0;

  constructor(node: string, now: Clock) {
    this.#now = now;
    this.#where = `dispatcher ${node}`;
    this.#tickedAtMs = now();
    this.#key(FCM);
    this.#ticker = setInterval(() => this.tick(), TICK_MS);
    this.#ticker.unref();
  }

  /** One send has ended. `endpoint`: where to, with Web Push. */
  ended(outcome: Outcome, endpoint?: string): void {
    if (outcome.kind === 'accepted') {
      if (this.#left <= 0) return;
      this.#left--;
      this.#key(nameOf(endpoint)).isAccepted = true;
      return;
    }
    if (outcome.kind !== 'unavailable') return;
    // `no-token`: Google does not give an access token for the service account, or can't be asked for one.
    if (outcome.reason !== 'auth' && outcome.reason !== 'no-token') return;
    const nowMs = this.#now();
    this.#key(nameOf(endpoint)).refusedAtMs = nowMs;
    this.#lookUntilMs = nowMs + AFTER_REFUSAL_MS;
    this.#left = Number.POSITIVE_INFINITY;
  }

  /** Each five seconds, by itself. */
  tick(): void {
    for (const key of this.#keys.values()) {
      if (key.isAccepted) key.acceptedAtMs = this.#tickedAtMs;
      key.isAccepted = false;
    }
    this.#tickedAtMs = this.#now();
    this.#left = this.#tickedAtMs < this.#lookUntilMs ? Number.POSITIVE_INFINITY : LOOKED_AT;
  }

  states(): CredentialState[] {
    const iso = (ms: number) => new Date(ms).toISOString();
    return [...this.#keys].map(([name, { acceptedAtMs, refusedAtMs }]) => ({
      name,
      kind: 'push-key',
      where: this.#where,
      ...(acceptedAtMs === undefined ? {} : { lastProvedAt: iso(acceptedAtMs) }),
      ...(refusedAtMs === undefined ? {} : { lastRefusedAt: iso(refusedAtMs) }),
    }));
  }

  close(): void {
    clearInterval(this.#ticker);
  }

  #key(name: PushKeyName): Key {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key = { acceptedAtMs: undefined, refusedAtMs: undefined, isAccepted: false };
    this.#keys.set(name, key);
    return key;
  }
}

function nameOf(endpoint: string | undefined): PushKeyName {
  return endpoint === undefined ? FCM : `vapid-${pushServiceClass(endpoint)}`;
}
