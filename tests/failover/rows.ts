import type { Row } from './harness/row.ts';
import { killIngest } from './rows/f01-kill-ingest.ts';
import { killDispatcher } from './rows/f02-kill-dispatcher.ts';
import { freezeDispatcher } from './rows/f03-freeze-dispatcher.ts';
import { oneBus } from './rows/f04-one-bus.ts';
import { allBuses, busesWithoutData } from './rows/f05-all-buses.ts';

/** The fault matrix. Rows that play on the same system stand together: it is made once. */
export const ROWS: readonly Row[] = [
  killIngest,
  oneBus,
  allBuses,
  busesWithoutData,
  killDispatcher,
  freezeDispatcher,
];
