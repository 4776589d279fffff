import type { SiteBus } from '../../../shared/bus/site-bus.ts';
import { registrySubject } from '../../../shared/bus/subjects.ts';
import {
  type RegistryRecord,
  recordDeviceId,
} from '../../../shared/subscription/registry-record.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { EdgeEvents } from '../events.ts';
import type { Outbox, WaitingRecord } from './outbox.ts';
import { readFromSite } from './registry-reader.ts';

const PUBLISH_TIMEOUT_MS = 1_500;
const REPEAT_EVERY_MS = 2_000;
const REPEAT_BATCH = 200;

interface Deps {
  readonly buses: readonly SiteBus[];
  readonly outbox: Outbox;
  readonly events: EdgeEvents;
}

/**
 * Publishes a device's new state to every site at once and tells which sites have it on disk. Those that do not are
 * served later from the outbox, provided that somebody has it: with no site at all the client has to come again.
 */
export async function writeRecord(
  record: RegistryRecord,
  { buses, outbox, events }: Deps,
): Promise<string[]> {
  const deviceId = recordDeviceId(record);
  const waiting: WaitingRecord = {
    deviceId,
    version: record.version,
    data: JSON.stringify(record),
  };
  const results = await Promise.allSettled(
    buses.map((bus) =>
      bus.publish(registrySubject(deviceId), waiting.data, {
        timeoutMs: PUBLISH_TIMEOUT_MS,
        msgId: `${deviceId}.${record.version}`,
      }),
    ),
  );
  const acknowledged: string[] = [];
  const lagging: string[] = [];
  buses.forEach((bus, i) => {
    const done = results[i]?.status === 'fulfilled';
    (done ? acknowledged : lagging).push(bus.site);
    events.registryWrite(bus.site, done);
  });
  if (acknowledged.length === 0) return acknowledged;
  for (const site of acknowledged) outbox.settled(site, deviceId, record.version);
  for (const site of lagging) {
    const dropped = outbox.put(site, waiting);
    if (dropped > 0) events.outboxDropped(dropped);
  }
  events.outboxSize(outbox.size());
  return acknowledged;
}

/** Brings lagging sites up to date in the background until the signal aborts. */
export async function repeatToLaggingSites(deps: Deps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const bus of deps.buses) if (bus.ready) await repeatBatch(bus, deps, signal);
    deps.events.outboxSize(deps.outbox.size());
    await sleep(REPEAT_EVERY_MS, signal);
  }
}

/** One batch for one site, in order; the first failure ends it, the next round goes on. */
async function repeatBatch(
  bus: SiteBus,
  { outbox, events }: Deps,
  signal: AbortSignal,
): Promise<void> {
  for (const waiting of outbox.next(bus.site, REPEAT_BATCH)) {
    if (signal.aborted) return;
    try {
      // Another edge may have written a newer state there meanwhile: an old one must not take its place.
      const there = await readFromSite(bus, waiting.deviceId);
      if (!there || there.version < waiting.version)
        await bus.publish(registrySubject(waiting.deviceId), waiting.data, {
          timeoutMs: PUBLISH_TIMEOUT_MS,
          msgId: `${waiting.deviceId}.${waiting.version}`,
        });
    } catch {
      events.registryWrite(bus.site, false);
      return;
    }
    if (signal.aborted) return;
    events.registryWrite(bus.site, true);
    outbox.settled(bus.site, waiting.deviceId, waiting.version);
  }
}
