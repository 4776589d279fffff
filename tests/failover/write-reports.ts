import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { RowResult } from './harness/play-row.ts';

const ROOT = join(import.meta.dirname, '../..');

const REPORTS = join(ROOT, 'reports');
/** One line for each run of the whole matrix, as soon as it was played. */
export const RUN_LOG = join(REPORTS, 'faults-runs.jsonl');
/** The processes' logs of broken runs. */
export const RUN_LOGS_FOLDER = join(REPORTS, 'faults-logs');

/** Writes reports/faults.json: what has been played so far. Called after each run. */
export function writeReport(
  { seed, startedAt, isWhole }: { seed: string; startedAt: string; isWhole: boolean },
  rows: readonly RowResult[],
): void {
  mkdirSync(REPORTS, { recursive: true });
  const report = { seed, startedAt, writtenAt: new Date().toISOString(), isWhole, rows };
  writeFileSync(join(REPORTS, 'faults.json'), `${JSON.stringify(report, null, 2)}\n`);
}

/** Writes docs/faults.md, when all rows were played. Returns the file. */
export function writePage(results: readonly RowResult[]): string {
  const page = join(ROOT, 'docs/faults.md');
  writeFileSync(page, pageOf(results));
  return page;
}

/** A row's figures in one line. */
export function lineOf(result: RowResult): string {
  if (result.skipped !== undefined) return `skipped: ${result.skipped}`;
  const { runs, acknowledged, delivered, owed, lost, repeats, shownTwice, broken, tookMs } = result;
  const own = Object.entries(result.figures).map(([name, value]) => `, ${name} ${value}`);
  return (
    `${runs} runs, ${acknowledged} acknowledged, ${delivered} of ${owed} delivered, ${lost} lost, ${repeats} repeated, ` +
    `${shownTwice} shown twice, p50 ${seconds(result.p50Ms)}, p99 ${seconds(result.p99Ms)}, max ${seconds(result.maxMs)}` +
    `${own.join('')}; ${broken.length === 0 ? 'kept' : `${broken.length} broken`} (${seconds(tookMs)})`
  );
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? '–' : `${(ms / 1000).toFixed(2)} s`;
}

function pageOf(unsorted: readonly RowResult[]): string {
  // They are played in the order that needs the fewest systems.
  const results = unsorted.toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  const played = results.filter(({ skipped }) => skipped === undefined);
  const sum = (of: (result: RowResult) => number) =>
    played.reduce((all, each) => all + of(each), 0);
  const table = results.map((each) =>
    each.skipped === undefined
      ? `| ${each.id} | ${each.title} | ${each.runs} | ${each.acknowledged} | ${each.delivered} of ${each.owed} | ${each.lost} | ${each.repeats} | ${each.shownTwice} | ${seconds(each.p50Ms)} | ${seconds(each.p99Ms)} | ${seconds(each.maxMs)} | ${each.broken.length === 0 ? 'yes' : 'no'} |`
      : `| ${each.id} | ${each.title} | skipped: ${each.skipped} | | | | | | | | | |`,
  );
  const details = results.map((each) => {
    const own = Object.entries(each.figures).map(([name, value]) => `${name}: ${value}`);
    const cases = Object.entries(each.cases).map(([name, count]) => `${name} (${count})`);
    return [
      `### ${each.id} ${each.title}`,
      '',
      `* Promise: ${each.promise}.`,
      `* Seen to fail: ${each.seenToFail}.`,
      ...(cases.length > 0 ? [`* Played: ${cases.join('; ')}.`] : []),
      ...(own.length > 0 ? [`* Largest of the runs: ${own.join('; ')}.`] : []),
      `* Seed: \`${each.seed}\` (${each.runs} runs, ${seconds(each.tookMs)}).`,
      ...each.broken.map((problem) => `* **Broken:** ${problem}`),
      '',
    ].join('\n');
  });
  return `# Faults: what was done to the system, and what it cost

Written by \`make faults\` on ${new Date().toISOString().slice(0, 10)}, on ${availableParallelism()} cores of one machine, in ${Math.round(sum(({ tookMs }) => tookMs) / 60_000)} minutes.
**${sum(({ lost }) => lost)} deliveries of acknowledged alerts lost in ${sum(({ runs }) => runs)} runs** (${sum(({ delivered }) => delivered)} of ${sum(({ owed }) => owed)} made), ${sum(({ shownTwice }) => shownTwice)} shown twice, ${sum(({ broken }) => broken.length)} promises broken.

Every run is played on two whole sites of real processes with real nats-servers; the push providers and the devices are
the sandbox's, and all figures are what those devices say. "Delivered" and "lost" count devices in the area times alerts
that were answered 202. "Repeated" are copies beyond the first that came over the wire; devices drop them. Times run from
the author's first request to a device: the median of the runs' medians, the worst run's 99th percentile, the slowest
device of all. They include the time that the fault itself takes away (a client that repeats, a fan-out that is slowed
down so that it can be hit half-way).

Random instants and choices come from the seed: \`make faults FAULT=F2 SEED=… RUN=7\` plays one run again (the same
instants; what the machine does between them is not replayed). \`make faults SABOTAGE=1\` plays each row with its
protection taken away: it has to fail. A run that breaks a promise, or that cannot be played, is noted here with its seed
(its logs are in \`reports/faults-logs\`) and the rest is played all the same. \`RESUME=1\` goes on with a matrix that was
interrupted; \`reports/faults.json\` has what was played so far.

| fault | what | runs | acknowledged | delivered | lost | repeated | shown twice | p50 | p99 | max | kept |
|---|---|---|---|---|---|---|---|---|---|---|---|
${table.join('\n')}

F12 (name service dead, slow or wrong) cannot happen here: on one machine every address is a number. F15, F26, F28, F29 and
F32 are not in this matrix. Those of providers (F16 to F22) are played with \`node:http2\` on one site and frames of our own
on the other; \`HTTP2_CLIENT=node\` or \`framed\` takes one for both.

## Row by row

${details.join('\n')}`;
}
