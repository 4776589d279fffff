import type { ContestResult } from '../contest/run-contest.ts';
import type { Spread } from '../contest/statistics.ts';

/** A Markdown table that can be read in a terminal too. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** The figures of one contest, and who could not take part. */
export function contestTable(contest: ContestResult): string {
  const rows = contest.results.map(({ contender, ...result }) => [
    contender,
    withSpread(result.cpuMicrosPerMessage),
    withSpread(result.messagesPerSecond),
    withSpread(perCore(result.cpuMicrosPerMessage)),
    contender === contest.baseline ? '1' : `×${withSpread(result.timesLessCpu)}`,
    result.rssMb.toFixed(0),
  ]);
  return [
    `**${contest.name}** (median [smallest–largest] of ${contest.rounds} rounds)`,
    '',
    markdownTable(
      ['contender', 'CPU µs/message', 'messages/s', 'messages/s of one core', 'less CPU', 'MB'],
      rows,
    ),
    ...contest.failures.map(({ contender, why }) => `\nNot measured: ${contender}: ${why}`),
  ].join('\n');
}

/** What a core that does nothing else could send: the inverse of the CPU time. */
function perCore({ median, min, max }: Spread): Spread {
  return { median: 1e6 / median, min: 1e6 / max, max: 1e6 / min };
}

function withSpread({ median, min, max }: Spread): string {
  return `${digits(median)} [${digits(min)}–${digits(max)}]`;
}

function digits(value: number): string {
  if (value >= 10_000) return Math.round(value).toLocaleString('en-GB');
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
