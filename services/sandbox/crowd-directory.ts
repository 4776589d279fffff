import { createInMemoryStore } from '../../shared/device/in-memory-store.ts';
import type { MemoryStore } from '../../shared/device/receive.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { createVerifier, type Verify } from '../../shared/envelope/signature.ts';
import type { CrowdDeviceRecord, CrowdSetup } from './crowd-setup.ts';
import type { CrowdState, KeptCrowd } from './crowd-state.ts';
import { CrowdTally } from './crowd-tally.ts';

/** A crowd as it lives in this process. */
interface Crowd {
  setup: CrowdSetup;
  /** One for all devices: importing keys is the slow part. */
  verify: Verify;
  readonly devices: readonly CrowdDeviceRecord[];
  /** What each device remembers, by position. */
  readonly memories: readonly MemoryStore[];
  readonly tally: CrowdTally;
}

/** One device of a crowd. */
export interface CrowdPlace {
  readonly crowd: Crowd;
  readonly position: number;
  readonly device: CrowdDeviceRecord;
}

/** All crowds, by name, and all their devices, by token. What is changed here is changed on disk. */
export interface CrowdDirectory {
  get(name: string): Crowd | undefined;
  list(): { name: string; devices: number }[];
  insert(kept: KeptCrowd): void;
  /** Other trusted keys or receipts, the same devices. */
  change(crowd: Crowd, setup: CrowdSetup): void;
  remove(name: string): boolean;
  place(token: string, transport: TransportKind): CrowdPlace | undefined;
}

export function createCrowdDirectory(state: CrowdState): CrowdDirectory {
  const crowds = new Map<string, Crowd>();
  const places = new Map<string, CrowdPlace>();
  const add = (kept: KeptCrowd) => {
    const crowd = bringToLife(kept);
    crowds.set(kept.setup.name, crowd);
    for (const [position, device] of crowd.devices.entries())
      places.set(device.token, { crowd, position, device });
  };
  for (const kept of state.load()) add(kept);
  return {
    get: (name) => crowds.get(name),
    list: () => [...crowds].map(([name, { devices }]) => ({ name, devices: devices.length })),
    insert: (kept) => {
      state.insert(kept);
      add(kept);
    },
    change: (crowd, setup) => {
      state.updateSetup(setup);
      crowd.setup = setup;
      crowd.verify = createVerifier(setup.keySet, 'alert');
    },
    remove: (name) => {
      const crowd = crowds.get(name);
      if (!crowd) return false;
      state.remove(name);
      crowds.delete(name);
      for (const { token } of crowd.devices) places.delete(token);
      return true;
    },
    place: (token, transport) => {
      const place = places.get(token);
      return place?.device.transport === transport ? place : undefined;
    },
  };
}

function bringToLife({ setup, devices }: KeptCrowd): Crowd {
  return {
    setup,
    devices,
    verify: createVerifier(setup.keySet, 'alert'),
    memories: devices.map(() => createInMemoryStore()),
    tally: new CrowdTally(),
  };
}
