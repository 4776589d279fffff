import type { DatabaseSync } from 'node:sqlite';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { Subscription } from '../../shared/subscription/subscription.ts';
import { type CrowdDirectory, createCrowdDirectory } from './crowd-directory.ts';
import { type Arrival, type ReadDeps, readArrival } from './crowd-reader.ts';
import { type CrowdReport, crowdReport } from './crowd-report.ts';
import {
  type CrowdSetup,
  makeCrowdDevices,
  subscriptionOf,
  wantsSameDevices,
} from './crowd-setup.ts';
import { createCrowdState } from './crowd-state.ts';
import type { FindFcmReceiver } from './fcm-devices.ts';
import type { FindWebPushReceiver } from './web-push-receivers.ts';
import { createWorkQueue } from './work-queue.ts';

interface CrowdsDeps extends ReadDeps {
  readonly db: DatabaseSync;
  readonly origin: () => string;
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
  close(): void;
}

/** Verification leaves this thread and decryption does not: a few at a time keep both busy. */
const READING_CONCURRENCY = 4;
/** Above it the provider answers 503, as a real one would. */
const MAX_WAITING = 100_000;

/** Crowds of simulated devices that live in this process: each with its own keys and memory, none with a socket. */
export function createCrowds(deps: CrowdsDeps): Crowds {
  const directory = createCrowdDirectory(createCrowdState(deps.db));
  const queue = createWorkQueue<Arrival>({
    concurrency: READING_CONCURRENCY,
    limit: MAX_WAITING,
    work: (arrival) => readArrival(arrival, deps),
    onError: (error) => deps.log.error(errorFields(error), 'crowd: a message could not be read'),
  });
  const deliver = (arrival: Arrival) => {
    if (!queue.offer(arrival)) return 'overloaded' as const;
    arrival.crowd.tally.accept(arrival.position);
    return 'delivered' as const;
  };
  return {
    make: createMaker(directory),
    subscriptions: (name) => {
      const crowd = directory.get(name);
      const { language = '' } = crowd?.setup ?? {};
      return crowd?.devices.map((device) => subscriptionOf(device, language, deps.origin()));
    },
    report: (name, alert, areaCodes) => {
      const crowd = directory.get(name);
      return crowd && crowdReport(name, crowd.devices, crowd.tally, alert, areaCodes);
    },
    list: () => directory.list(),
    remove: (name) => directory.remove(name),
    findFcm: (token) => {
      const place = directory.place(token, 'fcm');
      if (!place) return undefined;
      return {
        state: 'registered',
        deliver: ({ data }) => deliver({ ...place, content: data }),
      };
    },
    findWebPush: (token) => {
      const place = directory.place(token, 'web-push');
      if (!place) return undefined;
      const { vapidPublicKey: vapidKey } = place.crowd.setup;
      const receiver = {
        vapidKey,
        deliver: ({ body }: { body: Buffer }) => deliver({ ...place, content: body }),
      };
      return { kind: 'found', receiver };
    },
    get waiting() {
      return queue.size;
    },
    close: () => queue.close(),
  };
}

/** Making takes a moment; a second request for the same name meanwhile is told that it is taken. */
function createMaker(directory: CrowdDirectory): Crowds['make'] {
  const making = new Set<string>();
  return async (setup) => {
    const known = directory.get(setup.name);
    if (known) {
      if (!wantsSameDevices(known.setup, setup)) return 'exists';
      directory.change(known, setup);
      return 'kept';
    }
    if (making.has(setup.name)) return 'exists';
    making.add(setup.name);
    try {
      directory.insert({ setup, devices: await makeCrowdDevices(setup) });
    } finally {
      making.delete(setup.name);
    }
    return 'made';
  };
}
