import { setTimeout as delay } from 'node:timers/promises';
import {
  type Acknowledged,
  type DevicesReport,
  devicesReport,
  everybodyHasIt,
  untilDevices,
} from './alerts.ts';
import type { FaultSystem } from './fault-system.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

/** One row of the fault matrix. */
export interface Row {
  /** F1 … F31. */
  readonly id: string;
  readonly title: string;
  /** What must hold, for people. */
  readonly promise: string;
  /** What the machine must have; without it the row is skipped, with the reason. */
  readonly needs?: readonly Need[];
  /** In `make faults` and in `make test`, and about how long one run takes on two cores. */
  readonly runs: { readonly full: number; readonly short: number; readonly seconds: number };
  /** What is taken away so that the row fails: `SABOTAGE=1` does it again. */
  readonly seenToFail: string;
  /**
   * Plays the fault once; `run` counts from 0, for rows that go through a fixed set of cases. Throws when the fault itself
   * could not be played.
   */
  readonly play: (stage: Stage, random: Random, run: number) => Promise<Played>;
}

export type Need = 'root' | 'faketime';

/** One alert of one run, as the devices tell it. */
export interface AlertFigures {
  readonly devices: number;
  readonly delivered: number;
  readonly lost: number;
  readonly shownTwice: number;
  readonly outside: number;
  readonly repeats: number;
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
  readonly maxMs?: number | undefined;
}

/** What one run was like. `broken`: promises that were not kept, in words. */
export interface Played {
  readonly alerts: readonly AlertFigures[];
  readonly broken: readonly string[];
  /** Which of the row's cases this was: how often each was played is shown. */
  readonly case?: string;
  /** What else is worth a figure: the largest is shown. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** Waits until the devices have every alert that was acknowledged, looks again a moment later, and judges. */
export async function judge(
  system: FaultSystem,
  acknowledged: readonly Acknowledged[],
  more: {
    readonly broken?: readonly (string | false)[];
    readonly figures?: Played['figures'];
    readonly case?: string;
  } = {},
  withinMs = 45_000,
): Promise<Played> {
  const endMs = Date.now() + withinMs;
  for (const { id } of acknowledged)
    await untilDevices(system, id, everybodyHasIt, Math.max(0, endMs - Date.now()));
  // A second ring would come after the first.
  await delay(300);
  const alerts = await Promise.all(
    acknowledged.map(async (each) => figuresOf(await devicesReport(system, each.id), each.sinceMs)),
  );
  return {
    alerts,
    broken: [
      ...alerts.flatMap(problemsOf),
      ...(more.broken ?? []).filter((each) => each !== false),
    ],
    ...(more.figures === undefined ? {} : { figures: more.figures }),
    ...(more.case === undefined ? {} : { case: more.case }),
  };
}

export function figuresOf({ inside, outside }: DevicesReport, sinceMs: number): AlertFigures {
  const since = (ms: number | null) => (ms === null ? undefined : Math.max(0, ms - sinceMs));
  return {
    devices: inside.devices,
    delivered: inside.received,
    lost: inside.devices - inside.received,
    shownTwice: inside.shownTwice + outside.shownTwice,
    outside: outside.received,
    repeats: inside.repeats,
    p50Ms: since(inside.p50Ms),
    p99Ms: since(inside.p99Ms),
    maxMs: since(inside.lastMs),
  };
}

function problemsOf(alert: AlertFigures): string[] {
  const { lost, devices, shownTwice, outside } = alert;
  return [
    ...(lost > 0 ? [`${lost} of ${devices} devices never got an acknowledged alert`] : []),
    ...(shownTwice > 0 ? [`${shownTwice} devices showed it twice`] : []),
    ...(outside > 0 ? [`${outside} devices outside the area got it`] : []),
  ];
}
