import { consumeDurable } from '../../shared/bus/consume.ts';
import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { SignatureError } from '../../shared/envelope/signature.ts';
import type { Logger } from '../../shared/log/logger.ts';
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
  close: () => Promise<void>;
} {
  const stop = new AbortController();
  const following = buses.map((bus) =>
    consumeDurable(
      bus,
      { stream: 'ALERTS', durable: `dispatcher-${node}-${journalId}` },
      async ({ data }) => {
        try {
          await takeAlert(data, 'bus');
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
    close: async () => {
      stop.abort();
      await Promise.all(following);
    },
  };
}
