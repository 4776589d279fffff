import type { DeviceMemory } from '../../../../shared/device/memory.ts';
import type { MemoryStore } from '../../../../shared/device/receive.ts';
import type { KeySet } from '../../../../shared/envelope/key-set.ts';

/** What the canary says about itself: what is needed to subscribe, and the keys that messages are checked with. */
export interface Keys {
  readonly canary: string;
  readonly vapidPublicKey: string;
  readonly keySet: KeySet;
  readonly periodSeconds: number;
}

/** Who this receiver is. Its key was made here and can't be read out, not even by this page. */
export interface Identity {
  /** The name that the canary gave; undefined: not on the list (yet). */
  readonly name: string | undefined;
  readonly label: string;
  readonly key: CryptoKey;
  /** The public half, base64url. */
  readonly publicKey: string;
  /** The endpoint that the canary knows. */
  readonly endpoint: string | undefined;
}

/** How the canary took a receipt; `silent`: it did not answer. */
export type Outcome = 'counted' | 'witnessed' | 'refused' | 'removed' | 'silent';

/** One message as it came. */
export interface Received {
  readonly atMs: number;
  readonly kind: 'test' | 'real' | 'bad';
  readonly headline: string;
  readonly via: string;
  /** Of a bad one: why the device refused it. Of others: how the canary took the receipt. */
  readonly outcome: Outcome;
  readonly reason: string | undefined;
}

interface Stored {
  identity: Identity;
  keys: Keys;
  memory: DeviceMemory;
  /** The newest message that was verified. */
  last: Received;
  /** The newest real alert. */
  real: Received;
  /** The newest message that had to be refused. */
  bad: Received;
}

const DATABASE = 'tocsin-probe';
const STORE = 'probe';

let opening: Promise<IDBDatabase> | undefined;

function openDatabase(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => {
      request.result.onversionchange = () => {
        request.result.close();
        opening = undefined;
      };
      resolve(request.result);
    };
    request.onerror = () => {
      opening = undefined;
      reject(request.error ?? new Error('the storage of this browser cannot be opened'));
    };
  });
  return opening;
}

/** Reads and writes in one transaction: two pushes at once never both see themselves as the first. */
async function change<Name extends keyof Stored, Result>(
  name: Name,
  update: (before: Stored[Name] | undefined) => { value?: Stored[Name]; result: Result },
): Promise<Result> {
  const database = await openDatabase();
  return await new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, 'readwrite');
    const store = transaction.objectStore(STORE);
    const reading: IDBRequest<Stored[Name] | undefined> = store.get(name);
    let done: { result: Result } | undefined;
    reading.onsuccess = () => {
      const { value, result } = update(reading.result);
      if (value !== undefined) store.put(value, name);
      done = { result };
    };
    transaction.oncomplete = () =>
      done ? resolve(done.result) : reject(new Error('nothing was read'));
    transaction.onabort = () => reject(transaction.error ?? new Error('the storage gave up'));
  });
}

export function read<Name extends keyof Stored>(name: Name): Promise<Stored[Name] | undefined> {
  return change(name, (before) => ({ result: before }));
}

export function write<Name extends keyof Stored>(name: Name, value: Stored[Name]): Promise<void> {
  return change(name, () => ({ value, result: undefined }));
}

/** The set of seen messages, kept over restarts of worker and browser. */
export const deviceMemory: MemoryStore = {
  update: (update) =>
    change('memory', (before) => {
      const { memory, result } = update(before ?? []);
      return { value: memory, result };
    }),
};
