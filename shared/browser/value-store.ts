type Change<Value, Result> = (before: Value | undefined) => {
  value: Value | undefined;
  result: Result;
};

/** Named values of a site, kept in its IndexedDB over restarts of pages, workers and the browser. */
interface ValueStore<Stored extends object> {
  readonly read: <Name extends keyof Stored & string>(
    name: Name,
  ) => Promise<Stored[Name] | undefined>;
  /** `undefined` forgets it. */
  readonly write: <Name extends keyof Stored & string>(
    name: Name,
    value: Stored[Name] | undefined,
  ) => Promise<void>;
  /**
   * Reads one value and writes what `change` makes of it, in one transaction: the database runs writing transactions
   * one after the other, so two pushes at once, even in two workers, never both see themselves as the first.
   */
  readonly update: <Name extends keyof Stored & string, Result>(
    name: Name,
    change: Change<Stored[Name], Result>,
  ) => Promise<Result>;
}

/** Opens nothing yet: the first use does. Everything rejects while the browser's storage cannot be used. */
export function createValueStore<Stored extends object>(
  databaseName: string,
  storeName: string,
): ValueStore<Stored> {
  let opening: Promise<IDBDatabase> | undefined;

  function open(): Promise<IDBDatabase> {
    opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(databaseName, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(storeName);
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
        reject(request.error ?? new Error('the storage of this browser cannot be opened'));
      };
    });
    return opening;
  }

  async function update<Name extends keyof Stored & string, Result>(
    name: Name,
    change: Change<Stored[Name], Result>,
  ): Promise<Result> {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(storeName, 'readwrite', { durability: 'strict' });
      const store = transaction.objectStore(storeName);
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
        reject(transaction.error ?? new Error('the storage of this browser gave up'));
    });
  }

  return {
    update,
    write: (name, value) => update(name, () => ({ value, result: undefined })),
    read: async (name) => {
      const database = await open();
      return await new Promise((resolve, reject) => {
        const reading = database
          .transaction(storeName, 'readonly')
          .objectStore(storeName)
          .get(name);
        reading.onsuccess = () => resolve(reading.result);
        reading.onerror = () => reject(reading.error);
      });
    },
  };
}
