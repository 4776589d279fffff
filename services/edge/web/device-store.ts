import { createValueStore } from '../../../shared/browser/value-store.ts';
import { createInMemoryStore } from '../../../shared/device/in-memory-store.ts';
import type { DeviceMemory } from '../../../shared/device/memory.ts';
import type { MemoryStore } from '../../../shared/device/receive.ts';
import type { KeySet } from '../../../shared/envelope/key-set.ts';

/** What the server says about itself: what is needed to subscribe, and the keys that alerts are checked with. */
export interface Keys {
  readonly vapidPublicKey: string;
  readonly keySet: KeySet;
  readonly fetchedAtMs: number;
}

/** This device as it registered: kept so that page and worker can change it later. */
export interface Profile {
  readonly deviceId: string;
  /** Never leaves the device but as the bearer of its own registration. */
  readonly deviceSecret: string;
  readonly areaCodes: readonly string[];
  readonly language: string;
}

interface Stored {
  keys: Keys;
  profile: Profile;
  memory: DeviceMemory;
}

const store = createValueStore<Stored>('tocsin', 'device');
export const { read: readValue, write: writeValue } = store;

/** For a device whose storage is broken: a repeat may ring twice then, which is better than an alert that never rings. */
const brokenStorageMemory = createInMemoryStore();

/** The set of seen alerts, kept over restarts of worker and browser. */
export const deviceMemory: MemoryStore = {
  update: (change) =>
    store
      .update('memory', (before) => {
        const { memory, result } = change(before ?? []);
        return { value: memory, result };
      })
      .catch(() => brokenStorageMemory.update(change)),
};

/** Forgets one alert, so that a repeat is shown: for when showing it failed after it was remembered. */
export function forgetAlert(id: string): Promise<void> {
  return store.update('memory', (before) => ({
    value: (before ?? []).filter((each) => each.id !== id),
    result: undefined,
  }));
}
