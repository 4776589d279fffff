import { z } from 'zod';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { DispatchProgress } from '../../../shared/receipt/progress.ts';
import {
  devicesReport,
  everybodyHasIt,
  percentHaveIt,
  raise,
  untilDevices,
} from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

/** 100 devices per transport at this pace: a fan-out of about 7 s. */
const DEVICES = 1_000;
const PACE = 15;
/** Issue: losing one of two nodes may cost this much of the undisturbed time, and no more. */
const MAX_SLOWDOWN = 1.6;

export const killDispatcher: Row = {
  id: 'F2',
  title: 'kill -9 of a dispatcher at 0, 50 and 99 % of a fan-out',
  promise: `everybody gets it once; last device within ${MAX_SLOWDOWN} × the undisturbed time; repeats no more than what the survivor had no receipt for`,
  runs: { full: 6, short: 0 },
  canSabotage: true,
  seenToFail: 'the second dispatcher not started: half of the fan-out dies with the first',
  play,
};

/** Undisturbed times by the system that they were measured on. */
const undisturbed = new WeakMap<FaultSystem, number>();

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = await stage.system('large', () => ({ devices: DEVICES }));
  if (stage.sabotage) await system.kill('dispatcher-b');
  const victim = stage.sabotage ? 'a' : random.pick(['a', 'b'] as const);
  const survivor = victim === 'a' ? 'b' : 'a';
  await stage.pace(system, PACE);
  try {
    const quietMs = stage.sabotage ? 1 : await quietTime(system);
    const percent = random.pick([0, 50, 99]);
    const alert = await raise(system, { first: random.pick(['a', 'b'] as const) });
    await untilDevices(system, alert.id, percentHaveIt(percent));
    await system.kill(`dispatcher-${victim}`);
    const unreceipted = stage.sabotage ? 0 : await withoutReceipt(system, survivor, alert.id);
    const { inside } = await untilDevices(system, alert.id, everybodyHasIt, 30_000);
    const slowdown = ((inside.lastMs ?? Number.POSITIVE_INFINITY) - alert.sinceMs) / quietMs;
    return await judge(system, [alert], {
      broken: [
        slowdown > MAX_SLOWDOWN &&
          `${slowdown.toFixed(2)} × the undisturbed time after a kill at ${percent} %`,
        inside.repeats > unreceipted &&
          `${inside.repeats} repeats, but the survivor lacked receipts for ${unreceipted}`,
      ],
      figures: {
        'times the undisturbed time': Math.round(slowdown * 100) / 100,
        [`repeats at ${percent} %`]: inside.repeats,
      },
    });
  } finally {
    await stage.pace(system, 0);
    await system.start('dispatcher-a', 'dispatcher-b');
    await stage.healthy();
  }
}

async function quietTime(system: FaultSystem): Promise<number> {
  const known = undisturbed.get(system);
  if (known !== undefined) return known;
  const alert = await raise(system);
  await untilDevices(system, alert.id, everybodyHasIt);
  const { lastMs } = (await devicesReport(system, alert.id)).inside;
  if (lastMs === null) throw new Error('the undisturbed fan-out reached nobody');
  undisturbed.set(system, lastMs - alert.sinceMs);
  return lastMs - alert.sinceMs;
}

/** Devices in the area, and probes, of which this node does not know that they were reached. */
async function withoutReceipt(system: FaultSystem, node: string, id: string): Promise<number> {
  const progress = await fetchJson(
    `${urlOf(system, `dispatcher-${node}`)}/v1/alerts/${id}/progress`,
    {
      schema: DispatchProgress.extend({ node: z.string() }),
      timeoutMs: 5_000,
      token: system.internalToken,
    },
  );
  return Object.values(progress.transports).reduce(
    (sum, each) => sum + (each === undefined ? 0 : each.audience - each.acceptedKnown),
    0,
  );
}
