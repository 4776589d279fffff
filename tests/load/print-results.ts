import type { ContestResult } from './run-bench.ts';
import type { Spread } from './statistics.ts';

/** The figures as a Markdown table, so that what is printed can stand in a page. */
export function resultTable(contest: ContestResult): string {
  const head = ['contender', 'CPU µs per message', 'messages per second', 'times less CPU'];
  const rows = contest.results.map(({ contender, ...result }) => [
    contender,
    withSpread(result.cpuMicrosPerMessage, 0),
    withSpread(result.messagesPerSecond, 0),
    contender === contest.baseline ? '1' : `×${withSpread(result.timesLessCpu, 2)}`,
  ]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [
    `${contest.name} (median [smallest–largest] of ${contest.rounds} rounds of ${contest.messagesPerTurn} messages)`,
    '',
    line(head),
    rule,
    ...rows.map(line),
  ].join('\n');
}

function withSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${min.toFixed(digits)}–${max.toFixed(digits)}]`;
}
