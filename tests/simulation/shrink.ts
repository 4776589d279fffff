import type { Hooks } from './hooks.ts';
import { runSimulation, type SimulationResult } from './run-simulation.ts';
import type { Scenario } from './scenario.ts';

/** Tries cost a run each; a failure that is not small by then is small enough. */
const MAX_TRIES = 400;

/**
 * Makes a failing scenario smaller: leaves out faults, alerts, devices, ingests' second copies and the net's own
 * mischief, one at a time, as long as the same promise still breaks. Returns the smallest one found and its run, traced.
 */
export function shrink(
  scenario: Scenario,
  invariant: string,
  hooks: Hooks = {},
): { scenario: Scenario; result: SimulationResult; tries: number } {
  let smallest = scenario;
  let tries = 0;
  for (let isSmaller = true; isSmaller && tries < MAX_TRIES; ) {
    isSmaller = false;
    for (const candidate of smallerOnes(smallest)) {
      if (++tries > MAX_TRIES) break;
      if (runSimulation(candidate(), { hooks }).failure?.invariant !== invariant) continue;
      smallest = candidate();
      isSmaller = true;
      break;
    }
  }
  return { scenario: smallest, result: runSimulation(smallest, { hooks, isTraced: true }), tries };
}

/** Large cuts first. */
function smallerOnes(from: Scenario): (() => Scenario)[] {
  const { faults, alerts, devices, net } = from;
  const people = devices.filter(({ probe }) => !probe);
  const keep = (kept: readonly { id: string }[]) => ({
    ...from,
    devices: devices.filter((each) => each.probe || kept.includes(each)),
  });
  const isCalm = net.lost + net.late + net.repeated === 0;
  return [
    ...(isCalm ? [] : [() => ({ ...from, net: { lost: 0, late: 0, repeated: 0 } })]),
    ...halves(faults).map((kept) => () => ({ ...from, faults: kept })),
    ...withoutOne(faults).map((kept) => () => ({ ...from, faults: kept })),
    ...withoutOne(alerts)
      .filter((kept) => kept.length > 0)
      .map((kept) => () => ({ ...from, alerts: kept })),
    ...halves(people).map((kept) => () => keep(kept)),
    ...withoutOne(people).map((kept) => () => keep(kept)),
  ];
}

function halves<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 3) return [];
  const middle = items.length >> 1;
  return [items.slice(0, middle), items.slice(middle)];
}

function withoutOne<Item>(items: readonly Item[]): Item[][] {
  return items.map((_item, left) => items.filter((_other, i) => i !== left));
}
