import { z } from 'zod';
import { parseEnv } from '../../shared/config/parse-env.ts';
import { faketimeLibrary } from '../failover/harness/play-row.ts';
import type { Breakage } from './breakage.ts';
import { BREAKAGES, SABOTAGED } from './breakages.ts';
import { beginLog, type LogHead, type LogLine, note, readLog } from './run-log.ts';
import { Worker } from './worker.ts';
import { playedOf, RUN_LOG, writePage, writeReport } from './write-reports.ts';

const HELP = `make canary-truth: break a running system in every way that there is a name for, and look who says so.

  ONLY=name,name    only these (written nowhere)
  RESUME=1          go on with a run that was interrupted
  SIDE_BY_SIDE=2    systems that are played on at once, 1 to 10
  SABOTAGE=1        with the rules on age taken out: each breakage of a short list has to be found out as a false OK

Each breakage: a whole system with Prometheus and Alertmanager (Debian: apt-get install prometheus prometheus-alertmanager),
every path proved and nobody paged; broken; watched for two and a half minutes or more; healed. About five minutes each.

`;
const Flag = z.enum(['0', '1']).default('0');
const EnvSchema = z.object({
  ONLY: z.string().optional(),
  RESUME: Flag,
  SABOTAGE: Flag,
  SIDE_BY_SIDE: z.coerce.number().int().min(1).max(10).default(2),
});
type Env = z.infer<typeof EnvSchema>;
const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    const names = BREAKAGES.map(({ name, title }) => `  ${name.padEnd(24)} ${title}`).join('\n');
    say(`${HELP}${names}`);
    return;
  }
  const given = Object.fromEntries(
    Object.entries(process.env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const env = parseEnv(EnvSchema, given);
  const isSabotage = env.SABOTAGE === '1';
  const isWhole = env.ONLY === undefined && !isSabotage;
  const { head, lines } = isWhole ? logOf(env) : { head: headOf(env), lines: [] };
  const queue = chosen(env, isSabotage)
    .filter(({ name }) => !isDone(lines, name))
    .toSorted((a, b) => lasts(b) - lasts(a));
  say(
    `${queue.length} breakages, ${env.SIDE_BY_SIDE} side by side, about ${estimate(queue, env)} min`,
  );
  const done = new Map(lines.map((line) => [line.name, line]));
  const onLine = (line: LogLine) => {
    done.set(line.name, line);
    if (!isWhole) return;
    note(RUN_LOG, line);
    writeReport(head, [...done.values()], false);
  };
  const options = { withoutAgeRules: isSabotage };
  const workers = Array.from(
    { length: Math.min(env.SIDE_BY_SIDE, queue.length) },
    (_, i) => new Worker(`[${i + 1}]`, queue, { say, onLine, options }),
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      say(`\ninterrupted${isWhole ? '; RESUME=1 goes on from here' : ''}`);
      void Promise.all(workers.map((worker) => worker.close())).finally(() => process.exit(130));
    });
  await Promise.all(workers.map((worker) => worker.run()));
  const all = [...done.values()];
  process.exitCode = isSabotage ? judgeSabotage(all) : conclude(head, all, isWhole);
}

const headOf = ({ SIDE_BY_SIDE }: Env): LogHead => ({
  startedAt: new Date().toISOString(),
  sideBySide: SIDE_BY_SIDE,
});

function logOf(env: Env): { head: LogHead; lines: readonly LogLine[] } {
  if (env.RESUME === '1') {
    const earlier = readLog(RUN_LOG);
    if (earlier === undefined) throw new Error('there is nothing to go on with');
    return earlier;
  }
  const head = headOf(env);
  beginLog(RUN_LOG, head);
  return { head, lines: [] };
}

/** What could not be played is tried again. */
function isDone(lines: readonly LogLine[], name: string): boolean {
  return lines.some((line) => line.name === name && 'played' in line);
}

function chosen({ ONLY }: Env, isSabotage: boolean): Breakage[] {
  const wanted = ONLY?.split(',') ?? (isSabotage ? SABOTAGED : undefined);
  const unknown = wanted?.filter((name) => !BREAKAGES.some((each) => each.name === name)) ?? [];
  if (unknown.length > 0)
    throw new Error(`there is no breakage ${unknown.join(', ')}; --help lists them`);
  return BREAKAGES.filter(({ name, needs }) => {
    const isPlayable = needs === undefined || faketimeLibrary() !== undefined;
    if (!isPlayable)
      say(`${name} is skipped: it needs libfaketime (Debian: apt-get install faketime)`);
    return isPlayable && (wanted?.includes(name) ?? true);
  });
}

/** Seconds; what lasts longest begins first, so that nobody waits for it at the end. */
function lasts({ observeSeconds = 0, expected }: Breakage): number {
  return Math.max(observeSeconds, expected.withinSeconds);
}

function estimate(queue: readonly Breakage[], { SIDE_BY_SIDE }: Env): number {
  return Math.ceil((5 * queue.length) / SIDE_BY_SIDE) + 2;
}

/** Without the rules on age each of them has to be a false OK. */
function judgeSabotage(lines: readonly LogLine[]): number {
  const missed = lines.filter((line) => (playedOf(line)?.falseOks.length ?? 0) === 0);
  for (const line of lines)
    for (const each of playedOf(line)?.falseOks ?? []) say(`  ${line.name}: ${each}`);
  say(
    missed.length === 0
      ? `every one of ${lines.length} was found out as a false OK without the rules on age, as it should`
      : `not noticed, or not played: ${missed.map(({ name }) => name).join(', ')}`,
  );
  return missed.length === 0 ? 0 : 1;
}

function conclude(head: LogHead, lines: readonly LogLine[], isWhole: boolean): number {
  const played = lines.flatMap((line) => playedOf(line) ?? []);
  const bad = played.flatMap((each) =>
    [...each.falseOks, ...each.falseAlarms].map((words) => `${each.name}: ${words}`),
  );
  const unplayed = lines.filter((line) => playedOf(line) === undefined);
  for (const words of bad) say(`  ${words}`);
  if (isWhole) {
    writeReport(head, lines, true);
    writePage(head, lines);
  }
  const count = (of: 'falseOks' | 'falseAlarms') =>
    played.reduce((sum, each) => sum + each[of].length, 0);
  say(
    `${played.length} breakages played, ${unplayed.length} could not be; false OK: ${count('falseOks')}; false alarms: ${count('falseAlarms')}`,
  );
  return bad.length === 0 && unplayed.length === 0 ? 0 : 1;
}

await main();
// Nothing is left to be done: a handle that a breakage has left behind must not keep the machine.
process.exit();
