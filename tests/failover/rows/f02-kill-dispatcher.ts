import { z } from 'zod';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { DispatchProgress } from '../../../shared/receipt/progress.ts';
import {
  type DevicesReport,
  devicesReport,
  everybodyHasIt,
  raise,
  untilDevices,
} from '../harness/alerts.ts';
import { type FaultSystem, withEnv } from '../harness/fault-system.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

/** 600 devices per transport in the area. */
const DEVICES = 6_000;
/**
 * A node has five Web Push requests under way and each takes 100 ms: 50 a second, 6 s for 600 devices and two nodes.
 * FCM allows many at a time, so its answers take longer; it is done first.
 */
const NARROW = { WEB_PUSH_SESSIONS: '1', WEB_PUSH_IN_FLIGHT: '10', FCM_SESSIONS: '1' };
const LATENCY = { fcm: 1_000, webPush: 100 };
/**
 * By the share that was reached when one of two nodes was killed. The rest takes the survivor twice as long as both would
 * have taken: 2, 1.5 and 1.01 times the undisturbed time in theory. Above that: what was in flight, and a shard (one of
 * 16) whose receipt had not been said.
 */
const LIMITS = [
  { percent: 0, slowdown: 2.2 },
  { percent: 50, slowdown: 1.6 },
  { percent: 99, slowdown: 1.2 },
] as const;

export const killDispatcher: Row = {
  id: 'F2',
  title: 'kill -9 of a dispatcher at 0, 50 and 99 % of a fan-out',
  promise: `everybody gets it once; the last device within ${LIMITS.map(({ percent, slowdown }) => `${slowdown} × (${percent} %)`).join(', ')} the undisturbed time, which is measured right before; repeats no more than what the survivor had no receipt for`,
  // Each kill point twice; a run is two whole fan-outs.
  runs: { full: 6, short: 0, seconds: 30 },
  seenToFail: 'the second dispatcher not started: half of the fan-out dies with the first',
  play,
};

async function play(stage: Stage, random: Random, run: number): Promise<Played> {
  const system = await stage.system('one by one', () => ({
    devices: DEVICES,
    adjust: withEnv(NARROW, ({ kind }) => kind === 'dispatcher'),
  }));
  if (stage.sabotage) await system.kill('dispatcher-b');
  const victim = stage.sabotage ? 'a' : random.pick(['a', 'b'] as const);
  const survivor = victim === 'a' ? 'b' : 'a';
  const { percent, slowdown: limit } = LIMITS[run % LIMITS.length] ?? LIMITS[0];
  await stage.latency(system, LATENCY);
  try {
    const quietMs = stage.sabotage ? 1 : await quietTime(system);
    const alert = await raise(system, { first: random.pick(['a', 'b'] as const) });
    await untilDevices(system, alert.id, (report) => percentOf(report) >= percent);
    // Asked before the kill: what both have done double until then, and what is on its way to the survivor, is not its cost.
    const unreceipted = stage.sabotage ? 0 : await withoutReceipt(system, survivor, alert.id);
    const before = (await devicesReport(system, alert.id)).inside.repeats;
    await system.kill(`dispatcher-${victim}`);
    const withinMs = stage.sabotage ? 5_000 : 45_000;
    const { inside } = await untilDevices(system, alert.id, everybodyHasIt, withinMs);
    const slowdown = ((inside.lastMs ?? Number.POSITIVE_INFINITY) - alert.sinceMs) / quietMs;
    const more = {
      case: `killed at ${percent} %`,
      broken: [
        slowdown > limit &&
          `${slowdown.toFixed(2)} × the undisturbed ${Math.round(quietMs)} ms after a kill at ${percent} %`,
        inside.repeats - before > unreceipted &&
          `${inside.repeats - before} repeats, but the survivor lacked receipts for ${unreceipted}`,
      ],
      figures: {
        [`times the undisturbed time at ${percent} %`]: Math.round(slowdown * 100) / 100,
        [`repeats after a kill at ${percent} %`]: inside.repeats - before,
      },
    };
    return await judge(system, [alert], more, stage.sabotage ? 0 : undefined);
  } finally {
    await stage.pace(system, 0);
    await system.start('dispatcher-a', 'dispatcher-b');
    await stage.healthy();
  }
}

/** Of the devices that are reached by Web Push, which sets the pace. */
function percentOf({ areas }: DevicesReport): number {
  const { received = 0, devices = 0 } = areas[0]?.perTransport['web-push'] ?? {};
  return (100 * received) / devices;
}

/** Both nodes' time to the last device, right before, on the same machine with the same load. */
async function quietTime(system: FaultSystem): Promise<number> {
  const alert = await raise(system);
  const { inside } = await untilDevices(system, alert.id, everybodyHasIt);
  if (inside.lastMs === null || inside.received < inside.devices)
    throw new Error('the undisturbed fan-out did not reach everybody');
  return inside.lastMs - alert.sinceMs;
}

/** Devices in the area, and probes, of which this node does not know that they were reached. */
async function withoutReceipt(system: FaultSystem, node: string, id: string): Promise<number> {
  const url = `${urlOf(system, `dispatcher-${node}`)}/v1/alerts/${id}/progress`;
  const progress = await fetchJson(url, {
    schema: DispatchProgress.extend({ node: z.string() }),
    timeoutMs: 5_000,
    token: system.internalToken,
  }).catch((error: unknown) => {
    if (error instanceof FetchError && error.status === 404) return undefined;
    throw error;
  });
  // Right after it was accepted the survivor may not have it yet: then it has no receipt for anybody.
  if (progress === undefined) return (await devicesReport(system, id)).inside.devices;
  return Object.values(progress.transports).reduce(
    (sum, each) => sum + (each === undefined ? 0 : each.audience - each.acceptedKnown),
    0,
  );
}
