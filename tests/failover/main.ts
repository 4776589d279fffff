import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { z } from 'zod';
import { parseEnv } from '../../shared/config/parse-env.ts';
import { playRow, type RowResult, UNPLAYED } from './harness/play-row.ts';
import { minutes, progressLine, type RowProgress, timeLeftMs } from './harness/progress.ts';
import type { Row } from './harness/row.ts';
import { beginRunLog, noteRun, type RunRecord, readRunLog } from './harness/run-log.ts';
import { Stage } from './harness/stage.ts';
import { ROWS } from './rows.ts';
import { lineOf, RUN_LOG, RUN_LOGS_FOLDER, writePage, writeReport } from './write-reports.ts';

// `make faults`: FAULT=F5 (or F1,F2) RUNS=20 SEED=… RUN=7 (the first of RUNS=3) SABOTAGE=1; without any of them the whole matrix, which
// RESUME=1 goes on with after it was interrupted. HTTP2_CLIENT=node (or framed): the one with which F16 to F22 are played.
const Flag = z.enum(['0', '1']).default('0');
const EnvSchema = z.object({
  FAULT: z.string().optional(),
  RUNS: z.coerce.number().int().min(1).max(10_000).optional(),
  SEED: z.string().max(60).optional(),
  RUN: z.coerce.number().int().min(0).optional(),
  SABOTAGE: Flag,
  RESUME: Flag,
});
type Env = z.infer<typeof EnvSchema>;
const say = (line: string) => process.stdout.write(`${line}\n`);
/** A line of progress not more often than this. */
const PROGRESS_EVERY_MS = 5_000;

interface Plan {
  readonly rows: readonly Row[];
  readonly seed: string;
  readonly startedAt: string;
  readonly runsOf: (row: Row) => number;
  /** The matrix as a whole: what it has played is logged, and its page is written at the end. */
  readonly isWhole: boolean;
  readonly before: readonly RunRecord[];
}

async function main(): Promise<void> {
  const given = Object.fromEntries(
    Object.entries(process.env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const env = parseEnv(EnvSchema, given);
  const sabotage = env.SABOTAGE === '1';
  const plan = planOf(env, sabotage);
  const stage = new Stage({ sabotage, say });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      say(`\ninterrupted${plan.isWhole ? '; RESUME=1 goes on from here' : ''}`);
      void stage.clear().finally(() => process.exit(130));
    });
  try {
    const results = await playAll(plan, env, stage);
    process.exitCode = sabotage ? judgeSabotage(results) : conclude(results, plan.isWhole);
  } finally {
    await stage.clear();
  }
}

function planOf(env: Env, sabotage: boolean): Plan {
  const wanted = env.FAULT?.split(',');
  const unknown = wanted?.filter((id) => !ROWS.some((row) => row.id === id)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}`);
  const rows = ROWS.filter(({ id }) => wanted?.includes(id) ?? true);
  const isWhole = wanted === undefined && env.RUN === undefined && !sabotage;
  const runsOf = (row: Row) => env.RUNS ?? (sabotage || env.RUN !== undefined ? 1 : row.runs.full);
  const earlier = isWhole && env.RESUME === '1' ? readRunLog(RUN_LOG) : undefined;
  if (env.RESUME === '1' && !earlier) throw new Error('there is nothing to go on with');
  const head = earlier?.head ?? {
    seed: env.SEED ?? randomBytes(4).toString('hex'),
    startedAt: new Date().toISOString(),
  };
  if (isWhole && !earlier) {
    rmSync(RUN_LOGS_FOLDER, { recursive: true, force: true });
    beginRunLog(RUN_LOG, head);
  }
  return { rows, ...head, runsOf, isWhole, before: earlier?.runs ?? [] };
}

async function playAll(plan: Plan, env: Env, stage: Stage): Promise<RowResult[]> {
  const { rows, seed, runsOf } = plan;
  const done = new Map<string, RowProgress>();
  for (const row of rows) {
    const before = plan.before.filter((each) => each.row === row.id);
    const tookMs = before.reduce((all, each) => all + each.tookMs, 0);
    const { seconds: typicalSeconds } = row.runs;
    const played = before.length;
    done.set(row.id, { id: row.id, runs: runsOf(row), typicalSeconds, played, tookMs });
  }
  const left = () => minutes(timeLeftMs([...done.values()]));
  say(`seed ${seed}; ${rows.length} rows, about ${left()}`);
  const results: RowResult[] = [];
  let saidMs = 0;
  for (const row of rows) {
    say(`${row.id} ${row.title} (${runsOf(row)} runs)`);
    const onRun = (record: RunRecord, soFar: RowResult) => {
      if (plan.isWhole) noteRun(RUN_LOG, record);
      if (!stage.sabotage) writeReport(plan, [...results, soFar]);
      const row = done.get(record.row);
      if (row)
        done.set(row.id, { ...row, played: row.played + 1, tookMs: row.tookMs + record.tookMs });
      if (Date.now() - saidMs < PROGRESS_EVERY_MS) return;
      saidMs = Date.now();
      say(progressLine([...done.values()], { id: record.row, tookMs: record.tookMs }));
    };
    const before = plan.before.filter((each) => each.row === row.id);
    const logsFolder = RUN_LOGS_FOLDER;
    const runs = runsOf(row);
    const from = env.RUN ?? 0;
    const options = { runs, seed, from, before, onRun };
    const result = await playRow(row, stage, stage.sabotage ? options : { ...options, logsFolder });
    // Of a row that is skipped nothing is left to do.
    done.set(row.id, { ...(done.get(row.id) ?? progressOfNothing(row)), runs: 0 });
    results.push(result);
    if (!stage.sabotage) writeReport(plan, results);
    say(`  ${lineOf(result)}`);
  }
  return results;
}

const progressOfNothing = ({ id }: Row): RowProgress => ({
  id,
  runs: 0,
  typicalSeconds: 0,
  played: 0,
  tookMs: 0,
});

/** Without its protection each row has to fail. */
function judgeSabotage(results: readonly RowResult[]): number {
  const played = results.filter(({ skipped }) => skipped === undefined);
  const passed = played.filter(({ broken }) => broken.every((each) => each.startsWith(UNPLAYED)));
  say(
    passed.length === 0
      ? `every one of ${played.length} rows failed without its protection, as it should`
      : `these rows did not notice, or could not be played: ${passed.map(({ id }) => id).join(', ')}`,
  );
  return passed.length === 0 ? 0 : 1;
}

function conclude(results: readonly RowResult[], isWhole: boolean): number {
  const file = isWhole ? writePage(results) : 'reports/faults.json';
  const played = results.filter(({ skipped }) => skipped === undefined);
  const broken = played.flatMap((result) => result.broken);
  const sum = (of: (result: RowResult) => number) =>
    played.reduce((all, each) => all + of(each), 0);
  say(
    `${sum(({ lost }) => lost)} lost in ${sum(({ runs }) => runs)} runs, ${broken.length} promises broken; written to ${file}`,
  );
  return broken.length === 0 ? 0 : 1;
}

await main();
// Nothing is left to be done: a handle that a fault has left behind must not keep the machine.
process.exit();
