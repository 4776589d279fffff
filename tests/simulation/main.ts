import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { playAll, type SeedReport, type SeedTask } from './many-seeds.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { replay } from './replay.ts';
import { readSettings, type Settings } from './settings.ts';

/** Played every time, so that a change is held against the same nights. */
const FIXED = { from: 1, count: 2_000 };
const RANDOM_RUNS = 2_000;
const CHUNK = 250;
/** A planted bug that is not found by then is not found. */
const BUG_SEEDS = 10_000;

const settings = readSettings(process.env);
if (settings.SEED !== undefined) {
  const { text, failed } = replay(settings.SEED, settings);
  process.stdout.write(text);
  process.exitCode = failed ? 1 : 0;
} else process.exitCode = await simulate(settings);

async function simulate({ RUNS }: Settings): Promise<number> {
  const random = { from: randomInt(1_000_000, 2 ** 31 - 10_000_000), count: RUNS ?? RANDOM_RUNS };
  say(`seeds: fixed ${range(FIXED)}; random ${range(random)}`);
  const startedMs = performance.now();
  const reports = await playAll([...chunks(FIXED), ...chunks(random)], (report) => {
    for (const { seed, invariant, message } of report.failures)
      say(`  seed ${seed} BREAKS ${invariant}: ${message} (make simulate SEED=${seed})`);
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const steps = reports.reduce((sum, report) => sum + report.steps, 0);
  const failures = reports.flatMap((report) => report.failures);
  const rate = Math.round(steps / seconds);
  const nights = FIXED.count + random.count;
  say(
    `${nights} nights, ${steps} steps in ${seconds.toFixed(1)} s: ${rate} steps a second on ${availableParallelism()} cores (load ${loadavg()[0]?.toFixed(1)}); ${failures.length} failed`,
  );
  const plantedBugs = await findBugs();
  const found = plantedBugs.filter(({ seed }) => seed !== null);
  say(`${found.length} of ${plantedBugs.length} planted bugs found`);
  write({
    at: new Date().toISOString(),
    steps,
    seconds: Math.round(seconds * 10) / 10,
    rate,
    cores: availableParallelism(),
    loadOneMinute: loadavg()[0],
    seeds: { fixed: FIXED, random },
    failures,
    plantedBugs,
  });
  return failures.length === 0 && found.length === plantedBugs.length ? 0 : 1;
}

async function findBugs() {
  const tasks = PLANTED_BUGS.map(({ name }) => ({
    from: 1,
    count: BUG_SEEDS,
    bug: name,
    stopAtFirst: true,
  }));
  say('planted bugs:');
  const reports = await playAll(tasks, (report) => say(`  ${aboutBug(report)}`));
  return reports.map(({ task, seedsRun, failures }) => ({
    name: task.bug,
    seed: failures[0]?.seed ?? null,
    seedsTried: seedsRun,
    invariant: failures[0]?.invariant ?? null,
  }));
}

function aboutBug({ task, seedsRun, failures }: SeedReport): string {
  const name = String(task.bug).padEnd(36);
  const [first] = failures;
  return first === undefined
    ? `${name} NOT FOUND in ${seedsRun} seeds`
    : `${name} found by seed ${first.seed}, the ${seedsRun}. tried: ${first.invariant}, ${first.message}`;
}

function chunks({ from, count }: { from: number; count: number }): SeedTask[] {
  const tasks: SeedTask[] = [];
  for (let done = 0; done < count; done += CHUNK)
    tasks.push({
      from: from + done,
      count: Math.min(CHUNK, count - done),
      bug: undefined,
      stopAtFirst: false,
    });
  return tasks;
}

function range({ from, count }: { from: number; count: number }): string {
  return `${from}–${from + count - 1}`;
}

function write(report: unknown): void {
  const folder = resolve('reports');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'simulate.json'), `${JSON.stringify(report, null, 2)}\n`);
  say('written to reports/simulate.json');
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
