import type { Row } from './harness/row.ts';
import { killIngest } from './rows/f01-kill-ingest.ts';
import { killDispatcher } from './rows/f02-kill-dispatcher.ts';
import { freezeDispatcher } from './rows/f03-freeze-dispatcher.ts';
import { oneBus } from './rows/f04-one-bus.ts';
import { allBuses, busesWithoutData } from './rows/f05-all-buses.ts';
import { powerCut } from './rows/f07-power-cut.ts';
import { coldStart } from './rows/f08-cold-start.ts';
import { diskFull, diskReadOnly } from './rows/f09-disks.ts';
import { wrongClock } from './rows/f11-clock.ts';
import { oneWay, partition } from './rows/f13-partition.ts';
import { slowProvider } from './rows/f16-slow-provider.ts';
import { throttled } from './rows/f17-throttled.ts';
import { brokenConnections } from './rows/f18-broken-connections.ts';
import { blackHole } from './rows/f19-black-hole.ts';
import { goneStorm } from './rows/f20-gone-storm.ts';
import { certificates } from './rows/f21-certificates.ts';
import { credentials } from './rows/f22-credentials.ts';
import { corruptRegistry, lostRegistry } from './rows/f23-registry.ts';
import { stuck } from './rows/f25-stuck.ts';
import { allSenders } from './rows/f27-all-senders.ts';
import { versionSkew } from './rows/f30-version-skew.ts';
import { ambiguous } from './rows/f31-ambiguous.ts';

/** The fault matrix. Rows that play on the same system stand together: it is made once. */
export const ROWS: readonly Row[] = [
  oneBus,
  allBuses,
  wrongClock,
  corruptRegistry,
  lostRegistry,
  versionSkew,
  // At random instants on the system of the rows before it, at crash points on that of those after it.
  killIngest,
  partition,
  oneWay,
  ambiguous,
  busesWithoutData,
  coldStart,
  killDispatcher,
  freezeDispatcher,
  stuck,
  allSenders,
  slowProvider,
  throttled,
  brokenConnections,
  blackHole,
  goneStorm,
  certificates,
  credentials,
  diskFull,
  diskReadOnly,
  powerCut,
];
