import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorFields } from '../../../shared/log/error-fields.ts';
import { BrokenPromiseError } from './broken-promise.ts';
import { randomOf } from './random.ts';
import type { AlertFigures, Need, Played, Row } from './row.ts';
import type { RunRecord } from './run-log.ts';
import type { Stage } from './stage.ts';

/** The slowest row waits for proofs to lapse (150 s). What lasts longer than this hangs. */
const RUN_LIMIT_MS = 300_000;
/** How a problem begins that says nothing about the promise. */
export const UNPLAYED = 'could not be played';

/** The sums of one row over its runs. Times are milliseconds from the first request to a device. */
export interface RowResult {
  readonly id: string;
  readonly title: string;
  readonly promise: string;
  readonly seenToFail: string;
  /** Why it was not played. */
  readonly skipped?: string;
  readonly runs: number;
  readonly acknowledged: number;
  /** Device deliveries that were owed for acknowledged alerts, and made. */
  readonly owed: number;
  readonly delivered: number;
  readonly lost: number;
  readonly repeats: number;
  readonly shownTwice: number;
  readonly outside: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
  /** The largest of each figure of its own that the row measures. */
  readonly figures: Readonly<Record<string, number>>;
  /** How often each of its cases was played. */
  readonly cases: Readonly<Record<string, number>>;
  readonly seed: string;
  readonly tookMs: number;
  /** Each broken promise, with the seed that plays it again. */
  readonly broken: readonly string[];
}

interface PlayOptions {
  readonly runs: number;
  readonly seed: string;
  /** The number of the first run. */
  readonly from?: number;
  /** Runs that an interrupted matrix had played: they are not played again. */
  readonly before?: readonly RunRecord[];
  /** Called after each run with the sums so far. */
  readonly onRun?: (record: RunRecord, soFar: RowResult) => void;
  /** Where the logs of broken runs are kept, each in a folder of its own. */
  readonly logsFolder?: string;
}

/**
 * Plays a row so many times. A run that cannot be played, or does not end, counts as broken, is noted with its seed, and
 * the next one gets a new system: nothing stops half-way because of it.
 */
export async function playRow(
  row: Row,
  stage: Stage,
  { runs, seed, from = 0, before = [], onRun, logsFolder }: PlayOptions,
): Promise<RowResult> {
  const skipped = row.needs?.map(missing).find((reason) => reason !== undefined);
  if (skipped !== undefined) return sumUp(row, [], seed, skipped);
  const records = [...before];
  for (let run = from; run < from + runs; run++) {
    if (before.some((each) => each.run === run)) continue;
    const record = await playOnce(row, stage, { seed, run });
    records.push(record);
    for (const problem of record.problems) stage.say(`  ${row.id} run ${run}: ${problem}`);
    if (record.problems.length > 0) {
      if (logsFolder !== undefined) stage.keepLogs(join(logsFolder, `${row.id}-${run}`));
      await stage
        .clear()
        .catch((error: unknown) => stage.say(`  the system did not end: ${String(error)}`));
    }
    onRun?.(record, sumUp(row, records, seed));
  }
  return sumUp(row, records, seed);
}

async function playOnce(
  row: Row,
  stage: Stage,
  { seed, run }: { seed: string; run: number },
): Promise<RunRecord> {
  const startedMs = performance.now();
  const about = () => ({ row: row.id, run, tookMs: Math.round(performance.now() - startedMs) });
  const limit = new AbortController();
  try {
    const played = await Promise.race([
      row.play(stage, randomOf(`${seed}/${row.id}/${run}`), run),
      delay(RUN_LIMIT_MS, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`not over after ${RUN_LIMIT_MS / 1000} s`);
      }),
    ]);
    return { ...about(), played: plain(played), problems: [...played.broken] };
  } catch (error) {
    const { error: words } = errorFields(error);
    const problem = error instanceof BrokenPromiseError ? words : `${UNPLAYED}: ${words}`;
    return { ...about(), problems: [problem] };
  } finally {
    limit.abort();
  }
}

/** The same as what is read from a log again. */
function plain(played: Played): NonNullable<RunRecord['played']> {
  const { alerts, broken, figures } = played;
  return {
    alerts: [...alerts],
    broken: [...broken],
    case: played.case,
    ...(figures ? { figures: { ...figures } } : {}),
  };
}

function sumUp(
  { id, title, promise, seenToFail }: Row,
  records: readonly RunRecord[],
  seed: string,
  skipped?: string,
): RowResult {
  const played = records.flatMap((record) => record.played ?? []);
  const alerts = played.flatMap((each) => each.alerts);
  const sum = (of: (alert: AlertFigures) => number) =>
    alerts.reduce((all, each) => all + of(each), 0);
  const sorted = (of: (alert: AlertFigures) => number | undefined) =>
    alerts.flatMap((each) => of(each) ?? []).sort((a, b) => a - b);
  const medians = sorted((alert) => alert.p50Ms);
  const figures: Record<string, number> = {};
  const cases: Record<string, number> = {};
  for (const each of played)
    if (each.case !== undefined) cases[each.case] = (cases[each.case] ?? 0) + 1;
  for (const each of played)
    for (const [name, value] of Object.entries(each.figures ?? {}))
      figures[name] = Math.max(value, figures[name] ?? Number.NEGATIVE_INFINITY);
  return {
    id,
    title,
    promise,
    seenToFail,
    runs: records.length,
    acknowledged: alerts.length,
    owed: sum((alert) => alert.devices),
    delivered: sum((alert) => alert.delivered),
    lost: sum((alert) => alert.lost),
    repeats: sum((alert) => alert.repeats),
    shownTwice: sum((alert) => alert.shownTwice),
    outside: sum((alert) => alert.outside),
    p50Ms: medians[Math.floor((medians.length - 1) / 2)],
    p99Ms: sorted((alert) => alert.p99Ms).at(-1),
    maxMs: sorted((alert) => alert.maxMs).at(-1),
    figures,
    cases,
    seed,
    tookMs: records.reduce((all, { tookMs }) => all + tookMs, 0),
    broken: records.flatMap(({ run, problems }) =>
      problems.map((problem) => `${problem} (SEED=${seed} RUN=${run})`),
    ),
    ...(skipped === undefined ? {} : { skipped }),
  };
}

/** Why a row cannot be played on this machine; undefined when it can. */
function missing(need: Need): string | undefined {
  if (need === 'root' && process.getuid?.() !== 0) return 'needs root (mounts a disk image)';
  if (need === 'root' && !existsSync('/dev/loop-control')) return 'needs loop devices';
  if (need === 'faketime' && faketimeLibrary() === undefined)
    return 'needs libfaketime (Debian: apt-get install faketime)';
  return undefined;
}

/** The library that moves a process's clock; undefined when it is not installed. */
export function faketimeLibrary(): string | undefined {
  return globSync('/usr/lib/*/faketime/libfaketime.so.1')[0];
}
