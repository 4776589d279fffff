import { type Breakage, noPath } from './breakage.ts';
import { WRONG_CLOCKS } from './breakages/clocks.ts';
import { REVOKED } from './breakages/credentials.ts';
import { CUT } from './breakages/lanes.ts';
import { DEAD_MONITORS } from './breakages/monitors.ts';
import { FROZEN, KILLED } from './breakages/processes.ts';
import { PROVIDER_LIES } from './breakages/providers.ts';
import { DEAF_RECEIVERS } from './breakages/receivers.ts';
import { lostProbes } from './breakages/registry.ts';

/** Nothing is done for five minutes: nobody may be told anything. */
const control: Breakage = {
  name: 'control',
  group: 'control',
  title: 'nothing is broken, for 5 minutes',
  breaks: noPath,
  expected: { kind: 'nobody', alerts: [], withinSeconds: 300 },
  observeSeconds: 300,
  begin: async () => undefined,
  heal: async () => undefined,
};

/** Everything that is broken, one after the other. */
export const BREAKAGES: readonly Breakage[] = [
  control,
  ...KILLED,
  ...FROZEN,
  ...CUT,
  ...REVOKED,
  ...PROVIDER_LIES,
  ...DEAF_RECEIVERS,
  ...DEAD_MONITORS,
  ...WRONG_CLOCKS,
  lostProbes,
];

/** Played with the rules on age taken out: each has to be found out as a false OK. */
export const SABOTAGED: readonly string[] = ['fcm-drops', 'direct-lane', 'wrong-internal-token'];
