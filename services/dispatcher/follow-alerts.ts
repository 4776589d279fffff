import { consumeDurable } from '../../shared/bus/consume.ts';
import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { SignatureError } from '../../shared/envelope/signature.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { DispatcherEvents } from './events.ts';
import { ConflictError, type TakeAlert } from './take-alert.ts';

interface Deps {
  readonly node: string;
  /** Which journal this is: made with its file. */
  readonly journalId: string;
  readonly buses: readonly SiteBus[];
  readonly takeAlert: TakeAlert;
  readonly events: DispatcherEvents;
  readonly log: Logger;
}

/**
 * The bus lane: every site's ALERTS stream, by a durable consumer of this node's journal. A node that lost its disk
 * reads with a new consumer from the beginning: what the lost journal had acknowledged may stand nowhere else.
 */
export function followAlerts({ node, journalId, buses, takeAlert, events, log }: Deps): {
  /** Each resolves when this node has read all that the bus has now, or when the bus does not answer. */
  ask: (signal: AbortSignal) => readonly Promise<void>[];
  close: () => Promise<void>;
} {
  const durable = `dispatcher-${node}-${journalId}`;
  const stop = new AbortController();
  const following = buses.map((bus) =>
    consumeDurable(
      bus,
      { stream: 'ALERTS', durable },
      async ({ data, traceparent }) => {
        try {
          await takeAlert(data, 'bus', traceparent);
        } catch (error) {
          // What is not signed by a trusted key, or contradicts what is known, will not get better: never again.
          if (!(error instanceof SignatureError) && !(error instanceof ConflictError)) throw error;
          events.junkDropped('alerts');
        }
      },
      { log, signal: stop.signal },
    ),
  );
  return {
    ask: (signal) => buses.map((bus) => untilRead(bus, durable, signal)),
    close: async () => {
      stop.abort();
      await Promise.all(following);
    },
  };
}

const LOOK_EVERY_MS = 30;

/** A bus that is not there, or does not say where this node's consumer is, can't be waited for. */
async function untilRead(bus: SiteBus, durable: string, signal: AbortSignal): Promise<void> {
  do {
    try {
      const info = await bus.jetStream?.manager.consumers.info('ALERTS', durable);
      if (info === undefined || info.num_pending + info.num_ack_pending === 0) return;
    } catch {
      return;
    }
  } while (await sleep(LOOK_EVERY_MS, signal));
}
