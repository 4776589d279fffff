import type { DatabaseSync } from 'node:sqlite';
import { createInMemoryStore } from '../../shared/device/in-memory-store.ts';
import { type MemoryStore, receive } from '../../shared/device/receive.ts';
import { createVerifier, type Verify } from '../../shared/envelope/signature.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { Subscription } from '../../shared/subscription/subscription.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { DecryptError, decryptWebPush } from '../../shared/web-push/decrypt.ts';
import { type CrowdReceipts, receiptOf } from './crowd-receipts.ts';
import { type CrowdReport, crowdReport } from './crowd-report.ts';
import {
  type CrowdDeviceRecord,
  type CrowdSetup,
  makeCrowdDevices,
  subscriptionOf,
  wantsSameDevices,
} from './crowd-setup.ts';
import { createCrowdState, type KeptCrowd } from './crowd-state.ts';
import { CrowdTally } from './crowd-tally.ts';
import type { FindFcmReceiver } from './fcm-devices.ts';
import type { FindWebPushReceiver } from './web-push-receivers.ts';
import { createWorkQueue } from './work-queue.ts';

interface Crowd {
  setup: CrowdSetup;
  /** One for all devices: importing keys is the slow part. */
  verify: Verify;
  readonly devices: readonly CrowdDeviceRecord[];
  /** What each device remembers, by position. */
  readonly memories: readonly MemoryStore[];
  readonly tally: CrowdTally;
}

interface Arrival {
  readonly crowd: Crowd;
  readonly position: number;
  readonly device: CrowdDeviceRecord;
  /** Encrypted body (Web Push) or `data` (FCM). */
  readonly content: Buffer | Readonly<Record<string, string>>;
}

interface CrowdsDeps {
  readonly db: DatabaseSync;
  readonly origin: () => string;
  readonly receipts: CrowdReceipts;
  /** Told of each Web Push message that a device decrypted: FCM's are known before. */
  readonly onWebPushRead: (node: string | undefined) => void;
  readonly now: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

export interface Crowds {
  /** `exists`: the name is taken by a crowd of another shape. The same shape again gives the same devices. */
  make(setup: CrowdSetup): Promise<'made' | 'kept' | 'exists'>;
  subscriptions(name: string): Subscription[] | undefined;
  report(name: string, alert: string, areaCodes: readonly string[]): CrowdReport | undefined;
  list(): { name: string; devices: number }[];
  remove(name: string): boolean;
  findFcm: FindFcmReceiver;
  findWebPush: FindWebPushReceiver;
  /** Messages that wait to be decrypted. */
  readonly waiting: number;
  /** Resolves when all that came has been read. */
  idle(): Promise<void>;
  close(): void;
}

/** Decryption and verification are work of the processor: two at a time keep it busy, more would only wait. */
const READING_CONCURRENCY = 4;
/** Above it the provider answers 503, as a real one would. */
const MAX_WAITING = 100_000;

/** Crowds of simulated devices that live in this process: each with its own keys and memory, none with a socket. */
export function createCrowds(deps: CrowdsDeps): Crowds {
  const state = createCrowdState(deps.db);
  const crowds = new Map<string, Crowd>();
  const places = new Map<string, { crowd: Crowd; position: number; device: CrowdDeviceRecord }>();
  const making = new Set<string>();
  const queue = createWorkQueue<Arrival>({
    concurrency: READING_CONCURRENCY,
    limit: MAX_WAITING,
    work: (arrival) => read(arrival, deps),
    onError: (error) => deps.log.error(errorFields(error), 'crowd: a message could not be read'),
  });
  const add = (kept: KeptCrowd) => {
    const crowd = bringToLife(kept);
    crowds.set(kept.setup.name, crowd);
    for (const [position, device] of crowd.devices.entries())
      places.set(device.token, { crowd, position, device });
  };
  for (const kept of state.load()) add(kept);

  const placeOf = (token: string, transport: CrowdDeviceRecord['transport']) => {
    const place = places.get(token);
    return place?.device.transport === transport ? place : undefined;
  };
  const deliver = (arrival: Arrival) => {
    if (!queue.offer(arrival)) return 'overloaded' as const;
    arrival.crowd.tally.accept(arrival.position);
    return 'delivered' as const;
  };
  return {
    make: async (setup) => {
      const known = crowds.get(setup.name);
      if (known) {
        if (!wantsSameDevices(known.setup, setup)) return 'exists';
        known.setup = setup;
        known.verify = createVerifier(setup.keySet, 'alert');
        state.updateSetup(setup);
        return 'kept';
      }
      if (making.has(setup.name)) return 'exists';
      making.add(setup.name);
      try {
        const kept = { setup, devices: await makeCrowdDevices(setup) };
        state.insert(kept);
        add(kept);
      } finally {
        making.delete(setup.name);
      }
      return 'made';
    },
    subscriptions: (name) => {
      const crowd = crowds.get(name);
      const { language = '' } = crowd?.setup ?? {};
      return crowd?.devices.map((device) => subscriptionOf(device, language, deps.origin()));
    },
    report: (name, alert, areaCodes) => {
      const crowd = crowds.get(name);
      return crowd && crowdReport(name, crowd.devices, crowd.tally, alert, areaCodes);
    },
    list: () => [...crowds].map(([name, { devices }]) => ({ name, devices: devices.length })),
    remove: (name) => {
      const crowd = crowds.get(name);
      if (!crowd) return false;
      state.remove(name);
      crowds.delete(name);
      for (const { token } of crowd.devices) places.delete(token);
      return true;
    },
    findFcm: (token) => {
      const place = placeOf(token, 'fcm');
      return (
        place && {
          state: 'registered',
          deliver: ({ data }) => deliver({ ...place, content: data }),
        }
      );
    },
    findWebPush: (token) => {
      const place = placeOf(token, 'web-push');
      if (!place) return undefined;
      return {
        kind: 'found',
        receiver: {
          vapidKey: place.crowd.setup.vapidPublicKey,
          deliver: ({ body }) => deliver({ ...place, content: body }),
        },
      };
    },
    get waiting() {
      return queue.size;
    },
    idle: () => queue.idle(),
    close: () => queue.close(),
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

/** One message on one device, as a phone would take it: decrypt, then the code that every device runs. */
async function read(arrival: Arrival, deps: CrowdsDeps): Promise<void> {
  const { crowd, position, device } = arrival;
  const store = crowd.memories[position];
  if (!store) return;
  const payload = clearPayload(arrival);
  if (payload === 'undecryptable') {
    crowd.tally.unread.undecryptable++;
    return;
  }
  const received = await receive(payload, {
    verify: crowd.verify,
    accepts: ['public'],
    store,
    now: deps.now,
  });
  const atMs = deps.now();
  crowd.tally.record(position, received, atMs);
  if (device.transport === 'web-push') deps.onWebPushRead(received.via);
  const { edgeUrl, receiptShare } = crowd.setup;
  if (edgeUrl === undefined || deps.random() >= receiptShare) return;
  const receipt = receiptOf(received, device.transport, atMs);
  if (receipt) deps.receipts.send(edgeUrl, receipt);
}

function clearPayload({ device, content }: Arrival): unknown {
  if (!Buffer.isBuffer(content)) return content;
  if (!device.keys) return 'undecryptable';
  let text: string;
  try {
    text = decryptWebPush(content, device.keys).toString('utf8');
  } catch (error) {
    if (error instanceof DecryptError) return 'undecryptable';
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
