import { setTimeout as delay } from 'node:timers/promises';
import {
  cancel,
  copies,
  devicesReport,
  draftAlert,
  percentHaveIt,
  raise,
  untilDevices,
} from '../harness/alerts.ts';
import type { Random } from '../harness/random.ts';
import type { Played, Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const PACE = 15;
const FROZEN_MS = 9_000;
const EXPIRES_IN_MS = 8_000;

export const freezeDispatcher: Row = {
  id: 'F3',
  title: `SIGSTOP of a dispatcher for ${FROZEN_MS / 1000} s in mid-fan-out; cancelled or expired meanwhile; SIGCONT`,
  promise:
    'the thawed node sends nothing of an alert that is over; no device keeps it, none shows it late',
  runs: { full: 6, short: 1 },
  // By hand: without the look at the journal's "ended" and at the expiry before each send (own-shard.ts, dispatch.ts)
  // the thawed node goes on with what it had read before the freeze.
  seenToFail: 'by hand: the check before each send taken out of the dispatcher',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = await stage.system('large', () => ({ devices: 1_000 }));
  const victim = random.pick(['a', 'b'] as const);
  const isCancelled = random.next() < 0.5;
  await stage.pace(system, PACE);
  try {
    const draft = await draftAlert(isCancelled ? {} : { expiresInMs: EXPIRES_IN_MS });
    const alert = await raise(system, { draft });
    await untilDevices(system, alert.id, percentHaveIt(random.between(5, 30)), 5_000);
    system.signal('SIGSTOP', `dispatcher-${victim}`);
    const thawAtMs = Date.now() + FROZEN_MS;
    if (isCancelled) await cancel(system, alert.id, victim === 'a' ? 'b' : 'a');
    await delay(thawAtMs - Date.now());
    const before = await devicesReport(system, alert.id);
    await stage.pace(system, 0);
    system.signal('SIGCONT', `dispatcher-${victim}`);
    await delay(3_000);
    const after = await devicesReport(system, alert.id);
    const late = copies(after) - copies(before);
    const standing = after.inside.shown - after.inside.takenDown;
    return {
      alerts: [],
      broken: [
        ...(late > 0 ? [`${late} copies came after the thaw`] : []),
        ...(isCancelled && standing > 0
          ? [`${standing} devices still show a cancelled alert`]
          : []),
        ...(after.inside.shownTwice > 0
          ? [`${after.inside.shownTwice} devices showed it twice`]
          : []),
      ],
      figures: { 'copies after the thaw': late },
    };
  } finally {
    system.signal('SIGCONT', `dispatcher-${victim}`);
    await stage.pace(system, 0);
    await stage.healthy();
  }
}
