import type { SiteBus } from '../../../shared/bus/site-bus.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { RegistryRecord } from '../../../shared/subscription/registry-record.ts';
import type { Subscription } from '../../../shared/subscription/subscription.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { EdgeEvents } from '../events.ts';
import { retryAfterSeconds } from './admission.ts';
import { requireOwner } from './device-secret.ts';
import type { Outbox } from './outbox.ts';
import { readLastRecord } from './registry-reader.ts';
import { writeRecord } from './registry-writer.ts';

export interface RegistrationDeps {
  readonly buses: readonly SiteBus[];
  readonly outbox: Outbox;
  readonly events: EdgeEvents;
  readonly now: Clock;
  readonly random: () => number;
}

/** A change as it stands on the buses. */
export interface Registered {
  readonly created: boolean;
  readonly version: number;
  /** Sites that have it on disk. */
  readonly storedBy: readonly string[];
}

/** Rises with each state of a device even when clocks differ. */
export function nextVersion(nowMs: number, last: RegistryRecord | undefined): number {
  return Math.max(nowMs, (last?.version ?? 0) + 1);
}

/** Registers or changes a device for whoever knows its secret. Throws ProblemError: 403, or 503 without any site. */
export async function registerDevice(
  subscription: Subscription,
  secretHash: string,
  deps: RegistrationDeps,
): Promise<Registered> {
  const last = await lastRecord(subscription.deviceId, deps);
  requireOwner(last, secretHash);
  return await activate(subscription, { last, probe: false, secretHash }, deps);
}

/** Registers a device for an operator: nobody's secret is asked; one that the device has set stays. */
export async function importDevice(
  item: { subscription: Subscription; probe: boolean },
  deps: RegistrationDeps,
): Promise<Registered> {
  const last = await lastRecord(item.subscription.deviceId, deps);
  const secretHash = last?.state === 'active' ? last.secretHash : undefined;
  return await activate(item.subscription, { last, probe: item.probe, secretHash }, deps);
}

/** Removes a device for whoever knows its secret. One that is not there is gone already. */
export async function removeDevice(
  deviceId: string,
  secretHash: string,
  deps: RegistrationDeps,
): Promise<void> {
  const last = await lastRecord(deviceId, deps);
  requireOwner(last, secretHash);
  if (last?.state !== 'active') return;
  const version = nextVersion(deps.now(), last);
  await store({ v: 1, state: 'removed', version, deviceId, reason: 'unsubscribed' }, deps);
}

async function activate(
  subscription: Subscription,
  about: { last: RegistryRecord | undefined; probe: boolean; secretHash: string | undefined },
  deps: RegistrationDeps,
): Promise<Registered> {
  const nowMs = deps.now();
  const version = nextVersion(nowMs, about.last);
  const storedBy = await store(
    {
      v: 1,
      state: 'active',
      version,
      probe: about.probe,
      subscription,
      lastHeardAt: new Date(nowMs).toISOString(),
      ...(about.secretHash === undefined ? {} : { secretHash: about.secretHash }),
    },
    deps,
  );
  return { created: about.last?.state !== 'active', version, storedBy };
}

async function lastRecord(
  deviceId: string,
  deps: RegistrationDeps,
): Promise<RegistryRecord | undefined> {
  const { sitesRead, record } = await readLastRecord(deps.buses, deviceId);
  if (sitesRead === 0) throw unavailable(deps);
  return record;
}

async function store(record: RegistryRecord, deps: RegistrationDeps): Promise<string[]> {
  const storedBy = await writeRecord(record, deps);
  if (storedBy.length === 0) throw unavailable(deps);
  return storedBy;
}

function unavailable(deps: RegistrationDeps): ProblemError {
  return new ProblemError(
    503,
    'registry-unavailable',
    'Registrations cannot be stored at this moment',
    {
      detail: 'Devices that are registered already go on receiving alerts',
      action: 'Wait as long as Retry-After says, then send again',
      retryAfterSeconds: retryAfterSeconds(deps.random, 5, 25),
    },
  );
}
