import type { z } from 'zod';
import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { registrySubject } from '../../shared/bus/subjects.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import type { TombstoneRecord } from '../../shared/subscription/registry-record.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { DispatcherEvents } from './events.ts';
import { GoneGuard } from './gone-guard.ts';
import type { Quarantine, QuarantineRequest } from './quarantine.ts';
import type { Registry } from './registry.ts';

const PUBLISH_TIMEOUT_MS = 5_000;
/** Tombstones that wait for the buses at a time. */
const PUBLISHED_AT_ONCE = 250;
/** Judged in one request; the caller repeats it while some remain. */
const JUDGED_AT_ONCE = 5_000;

interface Deps {
  readonly registry: Registry;
  readonly quarantine: Quarantine;
  readonly buses: readonly SiteBus[];
  readonly events: DispatcherEvents;
  readonly now: Clock;
}

/** What became of a human's word on the quarantine. `remaining`: more are meant, ask again. */
export interface JudgedAnswer {
  readonly v: 1;
  readonly node: string;
  readonly action: QuarantineRequest['action'];
  /** Taken out of the quarantine. */
  readonly judged: number;
  /** Of these: removed from the registry. Who registered again meanwhile is not. */
  readonly removed: number;
  readonly remaining: boolean;
}

/**
 * Removes what a provider called gone: from this replica at once, and for everybody by a tombstone on every site's
 * stream. A storm of them is not obeyed (P9): those devices stay, in quarantine, and a human is told.
 */
export function createRemoveGone(
  deps: Deps,
): (transport: TransportKind, deviceIds: readonly string[], sent: number) => void {
  const guard = new GoneGuard();
  const remove = async (transport: TransportKind, deviceIds: readonly string[], sent: number) => {
    const { registry, quarantine, events } = deps;
    const nowMs = deps.now();
    if (!guard.mayRemove({ transport, gone: deviceIds.length, sent }, registry.size(), nowMs)) {
      quarantine.put(
        deviceIds.map((deviceId) => ({
          deviceId,
          transport,
          atMs: nowMs,
          version: registry.version(deviceId),
        })),
      );
      events.quarantined(transport, deviceIds.length);
      return;
    }
    const buried = bury(deviceIds, deps);
    events.removed(transport, deviceIds.length);
    await buried;
  };
  return (transport, deviceIds, sent) => {
    if (deviceIds.length === 0) return;
    // A timer leads here. Who stays because the disk is full is called gone again at the next send.
    remove(transport, deviceIds, sent).catch((error: unknown) =>
      deps.events.goneNotNoted(transport, deviceIds.length, error),
    );
  };
}

/** Lets a human judge the quarantine: released devices stay, dropped ones are removed as if they had never been doubted. */
export function createJudge(
  node: string,
  deps: Deps,
): (request: QuarantineRequest) => Promise<JudgedAnswer> {
  return async ({ action, transport, olderThan }) => {
    const beforeMs = olderThan === undefined ? undefined : Date.parse(olderThan);
    const taken = deps.quarantine.take({ transport, beforeMs }, JUDGED_AT_ONCE);
    const meant = taken.filter(
      ({ deviceId, version }) => deps.registry.version(deviceId) === version,
    );
    if (action === 'drop') {
      await bury(
        meant.map(({ deviceId }) => deviceId),
        deps,
      );
      const byTransport = Map.groupBy(meant, (each) => each.transport);
      for (const [kind, devices] of byTransport) deps.events.removed(kind, devices.length);
    }
    deps.events.quarantineJudged(action, taken.length);
    return {
      v: 1,
      node,
      action,
      judged: taken.length,
      removed: action === 'drop' ? meant.length : 0,
      remaining: taken.length === JUDGED_AT_ONCE,
    };
  };
}

/** Here at once; on the buses a few at a time. A site that lacks a tombstone gets it from the others' replicas' word. */
async function bury(deviceIds: readonly string[], { registry, buses, now }: Deps): Promise<void> {
  const nowMs = now();
  const tombstones = deviceIds.map(
    (deviceId): z.infer<typeof TombstoneRecord> => ({
      v: 1,
      state: 'removed',
      version: Math.max(nowMs, registry.version(deviceId) + 1),
      deviceId,
      reason: 'gone',
    }),
  );
  registry.apply(tombstones.map((record) => ({ record })));
  for (let i = 0; i < tombstones.length; i += PUBLISHED_AT_ONCE)
    await Promise.allSettled(
      tombstones.slice(i, i + PUBLISHED_AT_ONCE).flatMap((record) =>
        buses.map((bus) =>
          bus.publish(registrySubject(record.deviceId), JSON.stringify(record), {
            timeoutMs: PUBLISH_TIMEOUT_MS,
          }),
        ),
      ),
    );
}
