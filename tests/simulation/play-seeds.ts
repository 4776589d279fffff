import type { SeedFailure, SeedReport, SeedTask } from './many-seeds.ts';
import { plantedBug } from './planted-bugs.ts';
import { runSimulation } from './run-simulation.ts';
import { createScenario } from './scenario.ts';

/** Plays the seeds of one task, one after the other. */
export function playSeeds(task: SeedTask): SeedReport {
  const hooks = task.bug === undefined ? {} : plantedBug(task.bug).hooks;
  const failures: SeedFailure[] = [];
  let steps = 0;
  let seedsRun = 0;
  for (let seed = task.from; seed < task.from + task.count; seed++) {
    const result = runSimulation(createScenario(seed), { hooks });
    steps += result.steps;
    seedsRun++;
    if (result.failure === undefined) continue;
    failures.push({ seed, ...result.failure });
    if (task.stopAtFirst) break;
  }
  return { task, seedsRun, steps, failures };
}
