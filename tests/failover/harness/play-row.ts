import { existsSync, globSync } from 'node:fs';
import { errorFields } from '../../../shared/log/error-fields.ts';
import { randomOf } from './random.ts';
import type { AlertFigures, Need, Played, Row } from './row.ts';
import type { Stage } from './stage.ts';

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
  readonly seed: string;
  readonly tookMs: number;
  /** Each broken promise, with the seed that plays it again. */
  readonly broken: readonly string[];
}

/** Plays a row so many times; a run that cannot be played counts as broken and the next one gets a new system. */
export async function playRow(
  row: Row,
  stage: Stage,
  { runs, seed, from = 0 }: { runs: number; seed: string; from?: number },
): Promise<RowResult> {
  const skipped = row.needs?.map(missing).find((reason) => reason !== undefined);
  if (skipped !== undefined) return sumUp(row, [], { seed, tookMs: 0, broken: [], skipped });
  const startedMs = performance.now();
  const played: Played[] = [];
  const broken: string[] = [];
  for (let run = from; run < from + runs; run++) {
    const runSeed = `${seed}/${row.id}/${run}`;
    const problems: string[] = [];
    try {
      const each = await row.play(stage, randomOf(runSeed));
      played.push(each);
      problems.push(...each.broken);
    } catch (error) {
      problems.push(`could not be played: ${errorFields(error).error}`);
    }
    if (problems.length > 0) {
      for (const problem of problems) stage.say(`  ${row.id} run ${run}: ${problem}`);
      broken.push(...problems.map((problem) => `${problem} (SEED=${seed} RUN=${run})`));
      await stage.clear();
    }
  }
  return sumUp(row, played, { seed, tookMs: performance.now() - startedMs, broken });
}

function sumUp(
  { id, title, promise, seenToFail }: Row,
  played: readonly Played[],
  rest: Pick<RowResult, 'seed' | 'tookMs' | 'broken'> & { skipped?: string },
): RowResult {
  const alerts = played.flatMap((each) => each.alerts);
  const sum = (of: (alert: AlertFigures) => number) =>
    alerts.reduce((all, each) => all + of(each), 0);
  const sorted = (of: (alert: AlertFigures) => number | undefined) =>
    alerts.flatMap((each) => of(each) ?? []).sort((a, b) => a - b);
  const medians = sorted((alert) => alert.p50Ms);
  const figures: Record<string, number> = {};
  for (const each of played)
    for (const [name, value] of Object.entries(each.figures ?? {}))
      figures[name] = Math.max(value, figures[name] ?? Number.NEGATIVE_INFINITY);
  return {
    id,
    title,
    promise,
    seenToFail,
    runs: played.length,
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
    ...rest,
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
