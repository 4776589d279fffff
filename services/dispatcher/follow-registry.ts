import type { Peer } from '../../shared/bus/bus-config.ts';
import { type BusMessage, followStream } from '../../shared/bus/consume.ts';
import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { DispatcherEvents } from './events.ts';
import { fillReplica } from './fill-replica.ts';
import type { Registry } from './registry.ts';

/** Changes are written to the replica in batches: as many as came within this time, or as fit. */
const BATCH_MS = 50;
/** What holds up everything else for about 5 ms. */
const BATCH_MAX = 250;
/**
 * While much is to be read, batches are held and committed together. A commit writes every page that was changed, at a
 * million devices one for nearly each change: so many take about 20 ms, and more at a time would write hardly fewer.
 */
const HELD_MS = 1_000;
const HELD_MAX = 2_000;
/** An empty replica is filled in one go, until it has all or for this long: a crash meanwhile begins it anew. */
const FILLING_MS = 120_000;
/** Records are small, and there may be a million of them; what has come is taken in before anything else gets a turn. */
const READ_AT_A_TIME = 1_000;
/** A damaged replica that could not be filled anew (a full disk) is tried again. */
const REFILL_MS = 5_000;
const CARE_MS = 1_000;
/** Rows checked each second: a million in half an hour, for a hundredth of a core. */
const SCRUB_ROWS = 600;
const PURGE_ROWS = 1_000;
/** Who has been removed for this long is forgotten: no stream tells the time before it. */
const TOMBSTONE_LIFE_MS = 30 * 24 * 3600 * 1000;

export interface RegistryFollower {
  /**
   * True when the replica holds everybody, as far as can be known: nothing in it is damaged, and it has read every
   * site's stream that can be read to its end, or no stream can be read and it once had.
   */
  readonly isWhole: () => boolean;
  readonly close: () => Promise<void>;
}

interface Deps {
  readonly registry: Registry;
  readonly buses: readonly SiteBus[];
  /** The other dispatchers: asked for a copy when there is nothing here to begin with. */
  readonly peers: readonly Peer[];
  readonly token: string;
  readonly events: DispatcherEvents;
  readonly log: Logger;
  readonly now: Clock;
}

interface Waiting {
  readonly site: string;
  readonly message: BusMessage;
}

/**
 * Fills the replica (from a peer's copy where there is nothing, then from every site's REGISTRY stream) and keeps it
 * filled. The union of the streams is the truth. When the replica turns out to be damaged it is filled anew.
 */
export function followRegistry(deps: Deps): RegistryFollower {
  const { registry, buses, events, log, now } = deps;
  const stop = new AbortController();
  let round = new AbortController();
  const caughtUp = new Set<string>();
  let batch: Waiting[] = [];
  let held = 0;
  let heldSinceMs = 0;
  let fillingSinceMs = 0;
  let settling: Promise<void> | undefined;

  const isCaughtUp = () =>
    caughtUp.size > 0 && buses.every((bus) => !bus.ready || caughtUp.has(bus.site));
  const isWhole = () =>
    !registry.damaged &&
    !registry.isUnchecked &&
    !registry.isFilling &&
    (isCaughtUp() || (buses.every((bus) => !bus.ready) && registry.wasWhole));

  registry.watchDamage((what) => {
    events.replicaDamaged(what, !round.signal.aborted);
    round.abort();
  });

  // What was held is read again, from the cursors.
  registry.watchRollBack(() => {
    caughtUp.clear();
    round.abort();
  });

  const commit = () => {
    held = 0;
    registry.commit();
    if (registry.isFilling) settle();
  };

  const settle = () => {
    settling ??= registry
      .settle()
      .catch((error) => log.error(errorFields(error), 'replica cannot be settled; tried again'))
      .finally(() => {
        settling = undefined;
      });
  };

  const isHeldLongEnough = () =>
    registry.isFilling
      ? now() - fillingSinceMs > FILLING_MS
      : held >= HELD_MAX || now() - heldSinceMs > HELD_MS;

  const flush = () => {
    if (round.signal.aborted) return;
    const taken = batch;
    batch = [];
    if (taken.length > 0) {
      if (held === 0) heldSinceMs = now();
      held += taken.length;
      try {
        registry.apply(
          taken.map(({ site, message }) => ({
            site,
            cursor: message.cursor,
            record: parseRecord(message, events),
          })),
          true,
        );
      } catch (error) {
        batch = [...taken, ...batch];
        throw error;
      }
      events.registryChanged(registry.size());
    }
    if (held > 0 && (isCaughtUp() || isHeldLongEnough())) commit();
  };

  const followOnce = async (signal: AbortSignal) => {
    batch = [];
    const created = new Map<string, string>();
    const takeBatch = async () => {
      // Nothing new is begun meanwhile: a log that is written to cannot be begun again.
      await registry.logShortening;
      flush();
      // Whatever else waits is done now: what a bus sends without a pause would take every turn.
      await new Promise((resolve) => setImmediate(resolve));
    };
    const take = (site: string, message: BusMessage): Promise<void> | undefined => {
      if (created.get(site) !== message.cursor.created) {
        created.set(site, message.cursor.created);
        if (lostItsMemory(registry, site, message)) {
          flush();
          registry.forgetCursors();
          round.abort();
          return undefined;
        }
      }
      batch.push({ site, message });
      return batch.length < BATCH_MAX ? undefined : takeBatch();
    };
    const follow = (bus: SiteBus) => {
      const start = () => {
        flush();
        return { after: registry.cursor(bus.site) };
      };
      const onCaughtUp = () => {
        flush();
        if (signal.aborted) return;
        caughtUp.add(bus.site);
        if (!isCaughtUp()) return;
        registry.markWhole(now());
        commit();
      };
      const what = { stream: 'REGISTRY', start, onCaughtUp, atATime: READ_AT_A_TIME } as const;
      return followStream(bus, what, (message) => take(bus.site, message), { log, signal });
    };
    await Promise.all(buses.map(follow));
    await ended(signal);
  };

  const following = (async () => {
    while (!stop.signal.aborted) {
      if (registry.damaged) caughtUp.clear();
      if (registry.damaged || registry.isNew) await tryFill({ ...deps, signal: stop.signal });
      if (registry.damaged) {
        await sleep(REFILL_MS, stop.signal);
        continue;
      }
      round = new AbortController();
      fillingSinceMs = now();
      try {
        registry.beginFilling();
        await followOnce(AbortSignal.any([stop.signal, round.signal]));
        await settling;
        if (!registry.isFilling) registry.commit();
      } catch (error) {
        log.error(errorFields(error), 'replica cannot be followed; tried again');
        await sleep(REFILL_MS, stop.signal);
      }
    }
  })();

  const flushing = (async () => {
    while (await sleep(BATCH_MS, stop.signal)) {
      await registry.logShortening;
      try {
        flush();
        if (registry.isFilling && isCaughtUp()) settle();
      } catch (error) {
        log.error(errorFields(error), 'replica cannot be written; tried again');
      }
    }
  })();

  const checking = checkUntilKnown(deps, stop.signal);
  const caring = lookThrough(deps, isWhole, stop.signal);

  return {
    isWhole,
    close: async () => {
      stop.abort();
      await Promise.all([following, flushing, checking, caring, settling]);
    },
  };
}

/** A large file's structure is looked at after the start: until that is done it claims nothing. */
async function checkUntilKnown({ registry, log }: Deps, signal: AbortSignal): Promise<void> {
  do {
    try {
      await registry.check(signal);
    } catch (error) {
      if (!signal.aborted) log.error(errorFields(error), 'replica could not be checked');
    }
  } while (registry.isUnchecked && (await sleep(REFILL_MS, signal)));
}

/** In quiet times a few rows each second: damage is found before an alert meets it, old tombstones go. */
async function lookThrough(
  { registry, log, now }: Deps,
  isWhole: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  while (await sleep(CARE_MS, signal)) {
    if (!isWhole()) continue;
    try {
      registry.scrub(SCRUB_ROWS);
      registry.purgeTombstones(now() - TOMBSTONE_LIFE_MS, PURGE_ROWS);
    } catch (error) {
      log.error(errorFields(error), 'replica could not be looked through');
    }
  }
}

/**
 * A site that begins its stream anew may not know of removals that this file has purged; the others do. So all are read
 * again, once.
 */
function lostItsMemory(registry: Registry, site: string, { cursor }: BusMessage): boolean {
  const known = registry.cursor(site);
  return known !== undefined && known.created !== cursor.created && registry.purged > 0;
}

async function tryFill(deps: Parameters<typeof fillReplica>[0]): Promise<void> {
  try {
    await fillReplica(deps);
  } catch (error) {
    deps.log.error(errorFields(error), 'replica could not be filled anew');
  }
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
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
