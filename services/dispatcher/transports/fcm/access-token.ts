import { backoffMs } from '../../../../shared/time/backoff.ts';
import type { Clock } from '../../../../shared/time/clock.ts';

export interface AccessToken {
  readonly value: string;
  readonly expiresAtMs: number;
}

export interface AccessTokensDeps {
  /** Gets a token that was not used before. May reject; may take as long as it likes. */
  readonly fetchToken: () => Promise<AccessToken>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly onRefresh: (event: { ok: true } | { ok: false; error: unknown }) => void;
}

/** How long a send waits for the first token; after that it is `unavailable`. */
const WAIT_MS = 3_000;
/** A refresh that takes longer has failed. */
const FETCH_TIMEOUT_MS = 10_000;
/** A token that the provider refused is renewed at most this often. */
const FORCED_REFRESH_EVERY_MS = 60_000;
/** A token is renewed when a quarter of its life is left, in the background, so that no alert waits for it. */
const RENEW_AT = 0.75;
/** Not used in its last seconds: the request has to arrive in time. */
const LAST_SECONDS_MS = 5_000;
const RETRY = { firstMs: 1_000, maxMs: 60_000 };

/** Keeps an access token fresh. One refresh at a time; a dead token endpoint never blocks a send. */
export class AccessTokens {
  readonly #deps: AccessTokensDeps;
  #current: AccessToken | undefined;
  #refreshing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #forcedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps;
  }

  /** The usable token that is in hand, which is the rule: it is renewed ahead of need. */
  get current(): string | undefined {
    return this.#usable();
  }

  /** A usable token, or undefined when there is none within three seconds. Never rejects. */
  async get(): Promise<string | undefined> {
    const now = this.#usable();
    if (now !== undefined || this.#closed) return now;
    // While the endpoint fails, the retry timer asks; sends do not wait for it one by one.
    if (this.#failures > 0) return undefined;
    await waitAtMost(this.#refresh(), WAIT_MS);
    return this.#usable();
  }

  /** The provider answered 401 to this token: renew it, once, and not again for a minute. */
  refused(token: string): void {
    const nowMs = this.#deps.clock();
    if (this.#current?.value !== token || nowMs - this.#forcedAtMs < FORCED_REFRESH_EVERY_MS)
      return;
    this.#forcedAtMs = nowMs;
    void this.#refresh();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #usable(): string | undefined {
    const token = this.#current;
    const usable = token !== undefined && token.expiresAtMs - LAST_SECONDS_MS > this.#deps.clock();
    return usable ? token.value : undefined;
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#fetch().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #fetch(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const token = await rejectAfter(this.#deps.fetchToken(), FETCH_TIMEOUT_MS);
      this.#current = token;
      this.#failures = 0;
      this.#deps.onRefresh({ ok: true });
      this.#schedule(Math.max(RETRY.firstMs, (token.expiresAtMs - this.#deps.clock()) * RENEW_AT));
    } catch (error) {
      this.#failures++;
      this.#deps.onRefresh({ ok: false, error });
      this.#schedule(backoffMs(this.#failures, RETRY, this.#deps.random()));
    }
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#refresh(), delayMs);
    this.#timer.unref();
  }
}

async function waitAtMost(promise: Promise<void>, ms: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, over]);
  clearTimeout(timer);
}

async function rejectAfter<T>(promise: Promise<T>, ms: number): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no access token within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
