import { type BusMessage, followStream } from '../../shared/bus/consume.ts';
import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { DispatcherEvents } from './events.ts';
import type { Registry } from './registry.ts';

/** Changes are written to the replica in batches: as many as came within this time, or as fit. */
const BATCH_MS = 50;
const BATCH_MAX = 1_000;

export interface RegistryFollower {
  /**
   * True when the replica holds everybody, as far as can be known: it has read every site's stream that can be read to
   * its end, or no stream can be read and it once had.
   */
  readonly isWhole: () => boolean;
  readonly close: () => Promise<void>;
}

interface Deps {
  readonly registry: Registry;
  readonly buses: readonly SiteBus[];
  readonly events: DispatcherEvents;
  readonly log: Logger;
  readonly now: Clock;
}

/** Fills the replica from every site's REGISTRY stream and keeps it filled. The union of the streams is the truth. */
export function followRegistry({ registry, buses, events, log, now }: Deps): RegistryFollower {
  const stop = new AbortController();
  const caughtUp = new Set<string>();
  let batch: { site: string; message: BusMessage }[] = [];

  const isCaughtUp = () =>
    caughtUp.size > 0 && buses.every((bus) => !bus.ready || caughtUp.has(bus.site));

  const flush = () => {
    if (batch.length === 0) return;
    const taken = batch;
    batch = [];
    try {
      registry.apply(
        taken.map(({ site, message }) => ({
          site,
          cursor: message.cursor,
          record: parseRecord(message, events),
        })),
      );
    } catch (error) {
      batch = [...taken, ...batch];
      throw error;
    }
    events.registryChanged(registry.size());
  };

  const flushing = (async () => {
    while (await sleep(BATCH_MS, stop.signal)) {
      try {
        flush();
      } catch (error) {
        log.error(errorFields(error), 'replica cannot be written; tried again');
      }
    }
  })();
  const following = buses.map((bus) =>
    followStream(
      bus,
      {
        stream: 'REGISTRY',
        start: () => {
          flush();
          return { after: registry.cursor(bus.site) };
        },
        onCaughtUp: () => {
          flush();
          caughtUp.add(bus.site);
          if (isCaughtUp()) registry.markWhole(now());
        },
      },
      (message) => {
        batch.push({ site: bus.site, message });
        if (batch.length >= BATCH_MAX) flush();
      },
      { log, signal: stop.signal },
    ),
  );
  return {
    isWhole: () => isCaughtUp() || (buses.every((bus) => !bus.ready) && registry.wasWhole),
    close: async () => {
      stop.abort();
      await Promise.all([flushing, ...following]);
    },
  };
}

/** A record that does not parse is counted and passed over: it must not stop the ones behind it. */
function parseRecord(message: BusMessage, events: DispatcherEvents): RegistryRecord | undefined {
  try {
    return RegistryRecord.parse(JSON.parse(message.data));
  } catch {
    events.junkDropped('registry');
    return undefined;
  }
}
