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

const DATABASE = 'tocsin';
const STORE = 'device';

let opening: Promise<IDBDatabase> | undefined;

function openDatabase(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => {
      // Another version of this site (a worker that is being replaced) must not be blocked by us.
      request.result.onversionchange = () => {
        request.result.close();
        opening = undefined;
      };
      resolve(request.result);
    };
    request.onerror = () => {
      opening = undefined;
      reject(request.error ?? new Error('the device’s storage cannot be opened'));
    };
  });
  return opening;
}

/**
 * Reads one value and writes what `change` makes of it, in one transaction: the database runs writing transactions one
 * after the other, so two pushes at once, even in two workers, never both see themselves as the first.
 */
async function updateValue<Name extends keyof Stored, Result>(
  name: Name,
  change: (before: Stored[Name] | undefined) => { value: Stored[Name] | undefined; result: Result },
): Promise<Result> {
  const database = await openDatabase();
  return await new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, 'readwrite', { durability: 'strict' });
    const store = transaction.objectStore(STORE);
    const reading: IDBRequest<Stored[Name] | undefined> = store.get(name);
    let done: { result: Result } | undefined;
    reading.onsuccess = () => {
      const { value, result } = change(reading.result);
      if (value === undefined) store.delete(name);
      else store.put(value, name);
      done = { result };
    };
    transaction.oncomplete = () =>
      done ? resolve(done.result) : reject(new Error('nothing was read'));
    transaction.onabort = () =>
      reject(transaction.error ?? new Error('the device’s storage gave up'));
  });
}

export function readValue<Name extends keyof Stored>(
  name: Name,
): Promise<Stored[Name] | undefined> {
  return updateValue(name, (value) => ({ value, result: value }));
}

export function writeValue<Name extends keyof Stored>(
  name: Name,
  value: Stored[Name] | undefined,
): Promise<void> {
  return updateValue(name, () => ({ value, result: undefined }));
}

/** For a device whose storage is broken: a repeat may ring twice then, which is better than an alert that never rings. */
const brokenStorageMemory = createInMemoryStore();

/** The set of seen alerts, kept over restarts of worker and browser. */
export const deviceMemory: MemoryStore = {
  update: (change) =>
    updateValue('memory', (before) => {
      const { memory, result } = change(before ?? []);
      return { value: memory, result };
    }).catch(() => brokenStorageMemory.update(change)),
};

/** Forgets one alert, so that a repeat is shown: for when showing it failed after it was remembered. */
export function forgetAlert(id: string): Promise<void> {
  return updateValue('memory', (before) => ({
    value: (before ?? []).filter((each) => each.id !== id),
    result: undefined,
  }));
}
