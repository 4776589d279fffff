import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { Dispatch } from './dispatch.ts';
import type { Journal } from './journal.ts';
import type { DispatcherMetrics } from './metrics.ts';

const GAUGES_MS = 1_000;
const PURGE_EVERY_MS = 60_000;

interface Deps {
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly buses: readonly SiteBus[];
  readonly metrics: DispatcherMetrics;
  readonly log: Logger;
  readonly now: Clock;
}

/** An alert whose run was ended by a fault of this node's is taken up again. */
async function resume({ dispatch, log }: Deps): Promise<void> {
  try {
    await dispatch.resume();
  } catch (error) {
    log.error(errorFields(error), 'open alerts could not be taken up again');
  }
}

/** Keeps gauges true, open alerts going and the journal bounded. */
export function startHousekeeping(deps: Deps): { close: () => Promise<void> } {
  const stop = new AbortController();
  const running = (async () => {
    let purgedAtMs = 0;
    do {
      deps.metrics.liveAlerts.set(deps.dispatch.liveAlerts);
      for (const bus of deps.buses)
        deps.metrics.busReady.set({ bus_site: bus.site }, bus.ready ? 1 : 0);
      await resume(deps);
      if (deps.now() - purgedAtMs < PURGE_EVERY_MS) continue;
      purgedAtMs = deps.now();
      try {
        deps.journal.purge(deps.now());
      } catch (error) {
        deps.log.error(errorFields(error), 'journal could not be purged');
      }
    } while (await sleep(GAUGES_MS, stop.signal));
  })();
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
}
