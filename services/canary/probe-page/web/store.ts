import { createValueStore } from '../../../../shared/browser/value-store.ts';
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

const store = createValueStore<Stored>('tocsin-probe', 'probe');
export const { read, write } = store;

/** The set of seen messages, kept over restarts of worker and browser. */
export const deviceMemory: MemoryStore = {
  update: (update) =>
    store.update('memory', (before) => {
      const { memory, result } = update(before ?? []);
      return { value: memory, result };
    }),
};
