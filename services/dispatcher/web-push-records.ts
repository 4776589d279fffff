import type { Registry as MetricsRegistry } from 'prom-client';
import type { Logger } from '../../shared/log/logger.ts';
import type { WebPushAddress } from '../../shared/subscription/subscription.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { FairShare } from './fair-share.ts';
import type { Registry } from './registry.ts';
import type { WebPushKeys } from './transports/web-push/prepared/fingerprint.ts';
import { KeptBodies } from './transports/web-push/prepared/kept-bodies.ts';
import {
  createPreparedEvents,
  createPreparedMetrics,
} from './transports/web-push/prepared/prepared-metrics.ts';
import { PreparedStore } from './transports/web-push/prepared/prepared-store.ts';
import { createPushEncryptor } from './transports/web-push/prepared/push-encryptor.ts';
import {
  REPLENISHER_DEFAULTS,
  startReplenisher,
} from './transports/web-push/prepared/replenisher.ts';
import { createSealer } from './transports/web-push/seal/create-sealer.ts';

/** Sealed messages that wait for another try, in bytes. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Rows read between two turns of the event loop: half a millisecond. */
const PAGE = 200;
/** After so many rows the push services that were found are told, and again at the end. */
const TELL_EVERY = 5_000;
/** Push services that connections are opened to ahead of need; most countries' devices are with three of them. */
const MOST_ORIGINS = 32;
/** Different origins that are counted; strangers choose endpoints. */
const MOST_COUNTED = 1_000;
/** How often to see whether an alert has used up records. */
const LOOK_MS = 5_000;
/** Fewer than so many are a canary's: the next pass is soon enough. */
const WORTH_A_PASS = 100;
/** More first tries than a round of canaries (50 devices at most) has under way on each of two sides: an alert. */
const FEW_FIRST_TRIES = 100;

type ReadRegistry = Pick<Registry, 'goodRecords' | 'damaged' | 'fileNumber'>;

export interface WebPushRecordsDeps {
  readonly registry: ReadRegistry;
  /** While it is true, nothing is made. */
  readonly isSending: () => boolean;
  /** One address at each of the push services that most devices are with. */
  readonly onServices: (addresses: readonly WebPushAddress[]) => void;
}

/**
 * This node's prepared Web Push records: the store, who seals with them, and, once `start` is called, the thread that
 * fills it up from the registry, after the start, after each alert and every ten minutes.
 */
export function createWebPushRecords(capacity: number, metrics: MetricsRegistry, log: Logger) {
  const store = new PreparedStore(capacity);
  const encryptor = createPushEncryptor({
    store,
    sealer: createSealer({ log }),
    kept: new KeptBodies(MAX_KEPT_BYTES),
  });
  const recordMetrics = createPreparedMetrics(metrics);
  recordMetrics.watch(store, encryptor);
  return {
    encryptor,
    start: ({ registry, isSending, onServices }: WebPushRecordsDeps) => {
      const replenisher = startReplenisher(REPLENISHER_DEFAULTS, {
        store,
        readSubscriptions: () => readSubscriptions(registry, onServices),
        isSending,
        events: createPreparedEvents(recordMetrics, log),
        random: Math.random,
      });
      let usedBefore = 0;
      const ticker = setInterval(() => {
        const used = encryptor.counts.prepared + encryptor.counts.on_the_spot;
        if (isSending() || used - usedBefore < WORTH_A_PASS) return;
        usedBefore = used;
        replenisher.wake();
      }, LOOK_MS);
      ticker.unref();
      return {
        close: async () => {
          clearInterval(ticker);
          await replenisher.close();
          store.clear();
        },
      };
    },
  };
}

/**
 * Whether an alert is being sent that should have this machine to itself. Retries do not count, nor do canaries: a
 * provider that answers slowly or not at all may have some of those under way at any time, for days.
 */
export function isSendingAlert(
  shares: readonly Pick<FairShare, 'firstTriesInFlight'>[],
  isDelayed: () => boolean,
): boolean {
  return isDelayed() || shares.some((share) => share.firstTriesInFlight > FEW_FIRST_TRIES);
}

/**
 * All active Web Push subscriptions, page by page, with a turn of the event loop after each. Throws at the end when the
 * registry turned out to be damaged or was replaced meanwhile: then somebody may be missing, and no record is to be
 * dropped because nobody wanted it.
 */
export async function* readSubscriptions(
  registry: ReadRegistry,
  onServices: (addresses: readonly WebPushAddress[]) => void,
): AsyncGenerator<readonly WebPushKeys[]> {
  const services = new Map<string, { count: number; address: WebPushAddress }>();
  const { fileNumber } = registry;
  let seen = 0;
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: ReturnType<Registry['goodRecords']> = registry.goodRecords(after, PAGE);
    const addresses = page.records.flatMap((record) =>
      record.state === 'active' && record.subscription.address.transport === 'web-push'
        ? [record.subscription.address]
        : [],
    );
    for (const address of addresses) countService(services, address);
    seen += PAGE;
    after = page.last;
    if (after === undefined || seen % TELL_EVERY === 0) onServices(mostUsed(services));
    yield addresses.map(({ keys }) => keys);
    await sleep(0);
  }
  if (registry.damaged) throw new Error('the registry is damaged: not everybody could be read');
  if (registry.fileNumber !== fileNumber)
    throw new Error('the registry was replaced: somebody may have been passed over');
}

function countService(
  services: Map<string, { count: number; address: WebPushAddress }>,
  address: WebPushAddress,
): void {
  const origin = address.endpoint.slice(0, address.endpoint.indexOf('/', 'https://'.length));
  const known = services.get(origin);
  if (known !== undefined) known.count++;
  else if (services.size < MOST_COUNTED) services.set(origin, { count: 1, address });
}

function mostUsed(
  services: ReadonlyMap<string, { count: number; address: WebPushAddress }>,
): WebPushAddress[] {
  return [...services.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_ORIGINS)
    .map(({ address }) => address);
}
