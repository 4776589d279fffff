import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { BREAKAGES } from './breakages.ts';
import type { Played } from './play.ts';
import type { LogHead, LogLine } from './run-log.ts';

const ROOT = join(import.meta.dirname, '../..');
const REPORTS = join(ROOT, 'reports');
const PAGE = join(ROOT, 'docs/canary-truth.md');
/** A line for each breakage as soon as it was played. */
export const RUN_LOG = join(REPORTS, 'canary-truth-runs.jsonl');
const BEGIN = '<!-- canary-truth:begin -->';
const END = '<!-- canary-truth:end -->';

export function playedOf(line: LogLine): Played | undefined {
  return 'played' in line ? line.played : undefined;
}

/** In the order in which they are defined. */
function sorted(lines: readonly LogLine[]): LogLine[] {
  const place = (name: string) => BREAKAGES.findIndex((each) => each.name === name);
  return lines.toSorted((a, b) => place(a.name) - place(b.name));
}

const isControl = ({ group }: Played) => group === 'control';

/** Writes reports/canary-truth.json: what has been played so far. */
export function writeReport(head: LogHead, lines: readonly LogLine[], isWhole: boolean): void {
  mkdirSync(REPORTS, { recursive: true });
  const all = sorted(lines);
  const played = all.flatMap((line) => playedOf(line) ?? []);
  const report = {
    ...head,
    writtenAt: new Date().toISOString(),
    isWhole,
    cores: availableParallelism(),
    breakages: played.filter((each) => !isControl(each)).length,
    falseOks: played.reduce((sum, each) => sum + each.falseOks.length, 0),
    falseAlarms: played.reduce((sum, each) => sum + each.falseAlarms.length, 0),
    rows: played,
    notPlayed: all.filter((line) => !('played' in line)),
  };
  writeFileSync(join(REPORTS, 'canary-truth.json'), `${JSON.stringify(report, null, 2)}\n`);
}

/** Writes the table into docs/canary-truth.md, between its markers. */
export function writePage(head: LogHead, lines: readonly LogLine[]): void {
  const before = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : `${BEGIN}\n${END}\n`;
  const from = before.indexOf(BEGIN);
  const to = before.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${PAGE} has lost its markers`);
  const table = tableOf(head, sorted(lines));
  writeFileSync(PAGE, `${before.slice(0, from)}${BEGIN}\n${table}\n${before.slice(to)}`);
}

/** The table as Markdown. Pure, but for the day and the machine that it names. */
function tableOf(head: LogHead, lines: readonly LogLine[]): string {
  const played = lines.flatMap((line) => playedOf(line) ?? []);
  const broken = played.filter((each) => !isControl(each));
  const control = played.find(isControl);
  const falseOks = played.flatMap(({ name, falseOks }) =>
    falseOks.map((each) => `\`${name}\`: ${each}`),
  );
  const slowest = (of: (each: Played) => number | null) =>
    Math.max(0, ...broken.map((each) => of(each) ?? 0));
  const paged = broken.filter(({ expected }) => expected.kind === 'page');
  const missing = BREAKAGES.filter(({ name }) => !played.some((each) => each.name === name));
  const problems =
    missing.length === 0
      ? []
      : [
          `Not played, or not to its end: ${missing.map(({ name }) => `\`${name}\``).join(', ')} (\`RESUME=1\` goes on)`,
        ];
  return `
Written on ${new Date().toISOString().slice(0, 10)}, on ${availableParallelism()} cores, ${head.sideBySide} systems side by side.
**${broken.length} breakages, false OK: ${falseOks.length}.** ${control === undefined ? 'The control was not played.' : `With nothing broken for ${control.observedSeconds} s: ${control.falseAlarms.length} false alarms.`}
Slowest detection ${slowest((each) => each.detectedSeconds)} s; slowest call where somebody has to be called ${Math.max(0, ...paged.map((each) => each.pagerSeconds ?? 0))} s (limit 180 s).
${falseOks.map((each) => `\n* **False OK** ${each}`).join('')}${problems.map((each) => `\n* ${each}`).join('')}

| what was broken | what stayed “healthy” | what the page said | seen after | called after | by | proved again, taken back |
|---|---|---|---|---|---|---|
${broken.map(rowOf).join('\n')}
`;
}

function rowOf(each: Played): string {
  const { title, detectedSeconds, pagerSeconds, provedAgainSeconds, takenBackSeconds, expected } =
    each;
  const cells = [
    title,
    healthyWords(each),
    pageWords(each),
    seconds(detectedSeconds),
    expected.kind === 'nobody' && pagerSeconds === null
      ? 'nobody has to be'
      : seconds(calledSeconds(each)),
    toldWords(each),
    `${seconds(provedAgainSeconds)}, ${takenBackSeconds === null ? (each.told.some(({ kind }) => kind === 'page') ? 'later' : '–') : seconds(takenBackSeconds)}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const seconds = (value: number | null | undefined) => (value == null ? '–' : `${value} s`);

function calledSeconds({ pagerSeconds, expected, told }: Played): number | null {
  if (expected.kind !== 'ticket') return pagerSeconds;
  return told.find(({ alert }) => expected.alerts.includes(alert))?.seconds ?? pagerSeconds;
}

function healthyWords({ healthy }: Played): string {
  const { running, notRunning, ready, notReady, live, notLive, providers } = healthy;
  const of = (yes: readonly string[], no: readonly string[]) =>
    `${yes.length} of ${yes.length + no.length}`;
  return `${of(running, notRunning)} processes run, ${of(live, notLive)} live, ${of(ready, notReady)} ready; ${providers.join(', ')}`;
}

function pageWords({ pageAtCall, pageAtEnd, observedSeconds }: Played): string {
  const dead = 'no canary answers: a page that is open says that it is out of date';
  if (pageAtEnd === null) return dead;
  const words = (headline: string) => `“${headline}”`;
  const { headline, trouble } = pageAtEnd;
  const more = trouble.filter((each) => each !== headline).slice(0, 2);
  const atEnd = [words(headline), ...(more.length > 0 ? [more.join('; ')] : [])].join(': ');
  return pageAtCall === null || isSame(pageAtCall.headline, headline)
    ? atEnd
    : `${words(pageAtCall.headline)}, after ${observedSeconds} s ${atEnd}`;
}

/** But for the ages in them. */
const isSame = (a: string, b: string) => a.replaceAll(/\d+/g, '') === b.replaceAll(/\d+/g, '');

function toldWords({ told, expected }: Played): string {
  const main = told.filter(({ alert }) => expected.alerts.includes(alert));
  const shown = main.length > 0 ? main : told.slice(0, 1);
  return shown.map(({ kind, alert }) => `${kind} \`${alert}\``).join(', ') || 'nobody';
}
