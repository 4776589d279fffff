import type { Registry } from 'prom-client';
import type { BusSite } from '../../../shared/bus/bus-config.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import { createBusMetrics } from './bus-metrics.ts';
import { lookAtServer, type ServerLook } from './look-at-server.ts';

/** One NATS server, as it was seen last. */
export interface BusServerState {
  /** The site whose bus it is part of. */
  readonly bus: string;
  /** `host:port` of its monitoring address, from NATS_SITES. */
  readonly server: string;
  readonly look: ServerLook;
  /** Wall clock. Undefined: never. */
  readonly lastErrorAtMs: number | undefined;
}

interface Options {
  readonly sites: readonly Pick<BusSite, 'site' | 'monitorUrl'>[];
  /** Default 10 s. */
  readonly everyMs?: number;
}

interface Deps {
  readonly registry: Registry;
  readonly log: Logger;
  readonly wallNow: Clock;
  readonly signal: AbortSignal;
}

const EVERY_MS = 10_000;
const REQUEST_LIMIT_MS = 2_000;

/**
 * Follows every NATS server by its monitoring port, each by itself, and shows what it sees as metrics. It may only ever
 * make something look worse: whether the bus carries alerts is known by the paths over it.
 */
export function startBusHealth(
  { sites, everyMs = EVERY_MS }: Options,
  { registry, log, wallNow, signal }: Deps,
): { readonly states: () => BusServerState[]; readonly running: Promise<void> } {
  const states = new Map<string, BusServerState>();
  const follow = async (bus: string, monitorUrl: string): Promise<void> => {
    const server = new URL(monitorUrl).host;
    const key = `${bus} ${server}`;
    do {
      const look = await lookAtServer(monitorUrl, { timeoutMs: REQUEST_LIMIT_MS, signal });
      if (signal.aborted) return;
      const before = states.get(key);
      if (before !== undefined && before.look.healthy !== look.healthy)
        log[look.healthy ? 'info' : 'warn'](
          { bus, server, up: look.up },
          'health of a bus changed',
        );
      const lastErrorAtMs = look.healthy ? before?.lastErrorAtMs : wallNow();
      states.set(key, { bus, server, look, lastErrorAtMs });
    } while (await sleep(everyMs, signal));
  };
  createBusMetrics(registry, () => [...states.values()]);
  const followers = sites.flatMap(({ site, monitorUrl }) =>
    monitorUrl.split(',').map((url) => follow(site, url)),
  );
  return {
    states: () => [...states.values()],
    running: Promise.all(followers).then(() => undefined),
  };
}
