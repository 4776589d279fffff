import { plantedBug } from './planted-bugs.ts';
import { runSimulation, type SimulationResult } from './run-simulation.ts';
import { createScenario, type Scenario } from './scenario.ts';
import type { Settings } from './settings.ts';
import { shrink } from './shrink.ts';

/** One seed again, as text: its trace, and where it fails the smallest scenario that fails in the same way. */
export function replay(
  seed: number,
  { BUG, STEPS, WHOLE }: Settings,
): { text: string; failed: boolean } {
  const scenario = createScenario(seed);
  const hooks = BUG === undefined ? {} : plantedBug(BUG).hooks;
  const limit = STEPS === undefined ? {} : { maxSteps: STEPS };
  const result = runSimulation(scenario, { hooks, isTraced: true, ...limit });
  const { failure } = result;
  if (failure === undefined || WHOLE === '1')
    return { text: described(scenario, result), failed: failure !== undefined };
  const small = shrink(scenario, failure.invariant, hooks);
  const head = `seed ${seed} breaks ${failure.invariant} after ${result.steps} steps: ${failure.message}\nmade smaller in ${small.tries} tries (WHOLE=1 shows it as it was):\n`;
  return { text: head + described(small.scenario, small.result), failed: true };
}

function described(scenario: Scenario, result: SimulationResult): string {
  const { seed, nodes, sites, ingests, devices, alerts, faults, net } = scenario;
  const failure = result.failure
    ? `${result.failure.invariant}: ${result.failure.message}`
    : 'nothing broken';
  return [
    `seed ${seed}: ${sites.length} sites, ${ingests.length} ingests, ${devices.length} devices, ${alerts.length} alerts, ${faults.length} faults, net ${JSON.stringify(net)}`,
    ...nodes.map(
      ({ name, site, offsetMs }) => `  ${name} on site ${site}, clock ${offsetMs} ms off`,
    ),
    '',
    '  seconds  what happened',
    ...result.trace,
    '',
    `${result.steps} steps, ${(result.virtualMs / 1000).toFixed(1)} virtual seconds: ${failure}`,
    '',
  ].join('\n');
}
