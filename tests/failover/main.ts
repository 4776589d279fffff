import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parseEnv } from '../../shared/config/parse-env.ts';
import { playRow, type RowResult } from './harness/play-row.ts';
import { Stage } from './harness/stage.ts';
import { ROWS } from './rows.ts';
import { lineOf, writeReports } from './write-reports.ts';

// `make faults`: FAULT=F5 (or F1,F2) RUNS=20 SEED=… RUN=7 SABOTAGE=1; without any of them the whole matrix.
const EnvSchema = z.object({
  FAULT: z.string().optional(),
  RUNS: z.coerce.number().int().min(1).max(10_000).optional(),
  SEED: z.string().max(60).optional(),
  RUN: z.coerce.number().int().min(0).optional(),
  SABOTAGE: z.enum(['0', '1']).default('0'),
});
const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const given = Object.fromEntries(
    Object.entries(process.env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const env = parseEnv(EnvSchema, given);
  const wanted = env.FAULT?.split(',');
  const unknown = wanted?.filter((id) => !ROWS.some((row) => row.id === id)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}`);
  const sabotage = env.SABOTAGE === '1';
  const rows = ROWS.filter(
    ({ id, canSabotage }) => (wanted?.includes(id) ?? true) && (!sabotage || canSabotage),
  );
  const seed = env.SEED ?? randomBytes(4).toString('hex');
  say(`seed ${seed}; ${rows.length} rows`);
  const stage = new Stage({ sabotage, say });
  const results: RowResult[] = [];
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stage.clear().finally(() => process.exit(130)));
  try {
    for (const row of rows) {
      const all = sabotage ? 1 : (env.RUNS ?? row.runs.full);
      const runs = env.RUN === undefined ? all : 1;
      say(`${row.id} ${row.title} (${runs} runs)`);
      const result = await playRow(row, stage, { runs, seed, from: env.RUN ?? 0 });
      results.push(result);
      say(`  ${lineOf(result)}`);
    }
  } finally {
    await stage.clear();
  }
  const played = results.filter(({ skipped }) => skipped === undefined);
  if (sabotage) {
    const passed = played.filter(({ broken }) => broken.length === 0);
    say(
      passed.length === 0
        ? 'every row failed without its protection, as it should'
        : `these rows did not notice: ${passed.map(({ id }) => id).join(', ')}`,
    );
    process.exitCode = passed.length === 0 ? 0 : 1;
    return;
  }
  const file = writeReports(results, wanted === undefined && env.RUN === undefined);
  const broken = played.flatMap((result) => result.broken);
  const lost = played.reduce((sum, each) => sum + each.lost, 0);
  const runs = played.reduce((sum, each) => sum + each.runs, 0);
  say(`${lost} lost in ${runs} runs, ${broken.length} promises broken; written to ${file}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

await main();
