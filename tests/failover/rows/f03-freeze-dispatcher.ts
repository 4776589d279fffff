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
import { type FaultSystem, withEnv } from '../harness/fault-system.ts';
import type { Random } from '../harness/random.ts';
import type { Played, Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const PACE = 10;
/** One connection for FCM and few for Web Push, so that most sends are not begun when the node freezes. */
const NARROW = { WEB_PUSH_SESSIONS: '1', WEB_PUSH_IN_FLIGHT: '10', FCM_SESSIONS: '1' };
/** Web Push sends that may be under way at a time with so few sockets: begun before the freeze, they end after it. */
const UNDER_WAY = 10;
const FROZEN_MS = 9_000;
const EXPIRES_IN_MS = 8_000;

export const freezeDispatcher: Row = {
  id: 'F3',
  title: `SIGSTOP of a dispatcher for ${FROZEN_MS / 1000} s in mid-fan-out; cancelled or expired meanwhile; SIGCONT`,
  promise:
    'the thawed node begins no send of an alert that has expired or was cancelled (it asks first), and no device shows it late or keeps it',
  runs: { full: 6, short: 0, seconds: 17 },
  seenToFail:
    'the alert neither cancelled nor expired: the thawed node goes on, as it would without the check',
  play,
};

/** A system whose dispatchers still hold most of a fan-out when they are struck. */
export function narrow(stage: Stage): Promise<FaultSystem> {
  return stage.system('narrow', () => ({
    devices: 1_500,
    adjust: withEnv(NARROW, ({ kind }) => kind === 'dispatcher'),
  }));
}

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = await narrow(stage);
  const victim = random.pick(['a', 'b'] as const);
  const isCancelled = random.next() < 0.5;
  await stage.pace(system, PACE);
  try {
    const draft = await draftAlert(
      isCancelled || stage.sabotage ? {} : { expiresInMs: EXPIRES_IN_MS },
    );
    const alert = await raise(system, { draft });
    await untilDevices(system, alert.id, percentHaveIt(random.between(5, 30)), 5_000);
    system.signal('SIGSTOP', `dispatcher-${victim}`);
    const thawAtMs = Date.now() + FROZEN_MS;
    if (isCancelled && !stage.sabotage) await cancel(system, alert.id, victim === 'a' ? 'b' : 'a');
    // What the other node has under way, and its Cancel, get through before the thaw.
    if (!stage.sabotage) await stage.pace(system, 0);
    await delay(thawAtMs - Date.now());
    await stage.pace(system, 0);
    const before = await devicesReport(system, alert.id);
    system.signal('SIGCONT', `dispatcher-${victim}`);
    await delay(3_000);
    const after = await devicesReport(system, alert.id);
    const late = copies(after) - copies(before);
    const shownLate = after.inside.shown - before.inside.shown;
    const standing = after.inside.shown - after.inside.takenDown;
    return {
      alerts: [],
      broken: [
        ...(late > UNDER_WAY ? [`${late} copies came after the thaw`] : []),
        ...(shownLate > 0 ? [`${shownLate} devices showed it after it was over`] : []),
        ...(isCancelled && standing > 0
          ? [`${standing} devices still show a cancelled alert`]
          : []),
        ...(after.inside.shownTwice > 0
          ? [`${after.inside.shownTwice} devices showed it twice`]
          : []),
      ],
      figures: { [`copies after the thaw, ${isCancelled ? 'cancelled' : 'expired'}`]: late },
    };
  } finally {
    system.signal('SIGCONT', `dispatcher-${victim}`);
    await stage.pace(system, 0);
    await stage.healthy();
  }
}
