import type { OriginClient } from './origin-client.ts';

export interface OriginPoolsOptions {
  /** Origins that are kept open; for another one, the one that was longest without use is closed. */
  readonly maxOrigins: number;
  /** Without use for this long, an origin is closed. */
  readonly idleMs: number;
}

export const ORIGIN_POOLS_DEFAULTS = {
  maxOrigins: 64,
  idleMs: 2 * 3_600_000,
} as const satisfies OriginPoolsOptions;

export interface OriginPoolsDeps {
  readonly open: (origin: string) => OriginClient;
  readonly now: () => number;
  /** After the last client has been closed. */
  readonly onClosed: () => void;
}

interface Kept {
  readonly client: OriginClient;
  usedAtMs: number;
}

/** How often idle origins are looked for, and how exactly the time of the last use is kept. */
const LOOK_MS = 60_000;

/** The push services that messages go to, each with connections of its own, so that none waits for another. */
export class OriginPools {
  readonly #options: OriginPoolsOptions;
  readonly #deps: OriginPoolsDeps;
  readonly #kept = new Map<string, Kept>();
  readonly #ticker: NodeJS.Timeout;
  #closed = false;

  constructor(options: OriginPoolsOptions, deps: OriginPoolsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#ticker = setInterval(() => this.#closeIdle(), Math.min(LOOK_MS, options.idleMs));
    this.#ticker.unref();
  }

  get size(): number {
    return this.#kept.size;
  }

  /** At most one origin has requests open. */
  get isQuiet(): boolean {
    let busy = 0;
    for (const { client } of this.#kept.values()) if (client.open > 0) busy++;
    return busy <= 1;
  }

  /**
   * The client of an origin (`https://host[:port]`, allowed by the caller), opened if need be. Undefined when as many as
   * may be are open and all of them are busy, or after `close`.
   */
  at(origin: string, nowMs: number = this.#deps.now()): OriginClient | undefined {
    const kept = this.#kept.get(origin);
    if (kept !== undefined) {
      kept.usedAtMs = nowMs;
      return kept.client;
    }
    if (this.#closed || !this.#makeRoom()) return undefined;
    const client = this.#deps.open(origin);
    this.#kept.set(origin, { client, usedAtMs: nowMs });
    return client;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#ticker);
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(all.map(({ client }) => client.close()));
    this.#deps.onClosed();
  }

  #makeRoom(): boolean {
    if (this.#kept.size < this.#options.maxOrigins) return true;
    let oldest: [string, Kept] | undefined;
    for (const each of this.#kept)
      if (each[1].client.open === 0 && each[1].usedAtMs < (oldest?.[1].usedAtMs ?? Infinity))
        oldest = each;
    if (oldest === undefined) return false;
    this.#drop(...oldest);
    return true;
  }

  #closeIdle(): void {
    const beforeMs = this.#deps.now() - this.#options.idleMs;
    for (const [origin, kept] of [...this.#kept])
      if (kept.client.open === 0 && kept.usedAtMs <= beforeMs) this.#drop(origin, kept);
  }

  #drop(origin: string, { client }: Kept): void {
    this.#kept.delete(origin);
    void client.close();
  }
}
