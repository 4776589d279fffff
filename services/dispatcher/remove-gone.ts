import type { z } from 'zod';
import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { registrySubject } from '../../shared/bus/subjects.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import type { TombstoneRecord } from '../../shared/subscription/registry-record.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { DispatcherEvents } from './events.ts';
import { GoneGuard } from './gone-guard.ts';
import type { Registry } from './registry.ts';

const PUBLISH_TIMEOUT_MS = 5_000;

/**
 * Removes what a provider called gone: from this replica at once, and for everybody by a tombstone on every site's
 * stream. A storm of them is not obeyed (P9): those devices stay, and a human is told.
 */
export function createRemoveGone(deps: {
  readonly registry: Registry;
  readonly buses: readonly SiteBus[];
  readonly events: DispatcherEvents;
  readonly now: Clock;
}): (transport: TransportKind, deviceIds: readonly string[], sent: number) => void {
  const guard = new GoneGuard();
  return (transport, deviceIds, sent) => {
    if (deviceIds.length === 0) return;
    const nowMs = deps.now();
    if (!guard.mayRemove({ gone: deviceIds.length, sent }, deps.registry.size(), nowMs)) {
      deps.events.quarantined(transport, deviceIds.length);
      return;
    }
    const tombstones = deviceIds.map(
      (deviceId): z.infer<typeof TombstoneRecord> => ({
        v: 1,
        state: 'removed',
        version: Math.max(nowMs, deps.registry.version(deviceId) + 1),
        deviceId,
        reason: 'gone',
      }),
    );
    deps.registry.apply(tombstones.map((record) => ({ record })));
    for (const record of tombstones)
      for (const bus of deps.buses)
        bus
          .publish(registrySubject(record.deviceId), JSON.stringify(record), {
            timeoutMs: PUBLISH_TIMEOUT_MS,
          })
          .catch(() => undefined);
    deps.events.removed(transport, deviceIds.length);
  };
}
