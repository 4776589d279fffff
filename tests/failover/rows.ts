import type { Row } from './harness/row.ts';
import { killIngest } from './rows/f01-kill-ingest.ts';
import { killDispatcher } from './rows/f02-kill-dispatcher.ts';
import { freezeDispatcher } from './rows/f03-freeze-dispatcher.ts';
import { oneBus } from './rows/f04-one-bus.ts';
import { allBuses, busesWithoutData } from './rows/f05-all-buses.ts';
import { coldStart } from './rows/f08-cold-start.ts';
import { wrongClock } from './rows/f11-clock.ts';
import { corruptRegistry, lostRegistry } from './rows/f23-registry.ts';
import { stuck } from './rows/f25-stuck.ts';
import { allSenders } from './rows/f27-all-senders.ts';

/** The fault matrix. Rows that play on the same system stand together: it is made once. */
export const ROWS: readonly Row[] = [
  killIngest,
  oneBus,
  allBuses,
  wrongClock,
  corruptRegistry,
  lostRegistry,
  stuck,
  busesWithoutData,
  coldStart,
  killDispatcher,
  freezeDispatcher,
  allSenders,
];
