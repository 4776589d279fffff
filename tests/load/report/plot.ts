import type { ContestResult } from '../contest/run-contest.ts';
import type { Plot } from './section.ts';

const WIDTH = 760;
const LEFT = 250;
const RIGHT = 90;
const ROW = 26;
const TOP = 44;
const BOTTOM = 34;
const OURS = '#0b6e4f';
const THEIRS = '#8a8f98';
const INK = '#1d2433';
const GRID = '#e3e6ea';
const LINES = ['#0b6e4f', '#b3541e', '#3d5a98'];

/** Bars of CPU time per message on a logarithmic scale, shortest on top, with whiskers from smallest to largest. */
export function contestPlot(contest: ContestResult, file: string): Plot {
  const bars = contest.results
    .map(({ contender, cpuMicrosPerMessage }) => ({ name: contender, ...cpuMicrosPerMessage }))
    .sort((a, b) => a.median - b.median);
  const low = 10 ** Math.floor(Math.log10(Math.min(1, ...bars.map(({ min }) => min))));
  const high = 10 ** Math.ceil(Math.log10(Math.max(10, ...bars.map(({ max }) => max))));
  const room = WIDTH - LEFT - RIGHT;
  const x = (value: number) => LEFT + (room * Math.log10(value / low)) / Math.log10(high / low);
  const height = TOP + bars.length * ROW + BOTTOM;
  const marks = decades(low, high).map((value) =>
    [
      line(x(value), TOP - 6, x(value), height - BOTTOM, GRID),
      text(x(value), height - BOTTOM + 16, String(value), 'middle'),
    ].join(''),
  );
  const rows = bars.map(({ name, median, min, max }, i) => {
    const y = TOP + i * ROW;
    const colour = name.startsWith('ours') ? OURS : THEIRS;
    return [
      text(LEFT - 8, y + 15, name, 'end'),
      `<rect x="${LEFT}" y="${y + 4}" width="${(x(median) - LEFT).toFixed(1)}" height="14" rx="2" fill="${colour}"/>`,
      line(x(min), y + 11, x(max), y + 11, INK),
      text(x(max) + 6, y + 15, median.toPrecision(3), 'start'),
    ].join('');
  });
  return {
    file,
    alt: `CPU µs per message: ${bars.map(({ name, median }) => `${name} ${median.toPrecision(3)}`).join(', ')}`,
    svg: page(height, `${contest.name}: CPU µs per message, logarithmic`, [...marks, ...rows]),
  };
}

export interface Curve {
  readonly name: string;
  /** Seconds and shares from 0 to 1, both rising. */
  readonly points: readonly { readonly seconds: number; readonly share: number }[];
}

/** Shares of an audience over time. */
export function curvesPlot(title: string, curves: readonly Curve[], file: string): Plot {
  const height = 300;
  const end = Math.max(1, ...curves.map(({ points }) => points.at(-1)?.seconds ?? 0));
  const [left, right] = [50, WIDTH - 190];
  const x = (secondsIn: number) => left + ((right - left) * secondsIn) / end;
  const y = (share: number) => height - BOTTOM - (height - BOTTOM - TOP) * share;
  const step = 10 ** Math.floor(Math.log10(end));
  const marks = [
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
      line(left, y(share), right, y(share), GRID),
      text(left - 6, y(share) + 4, `${share * 100} %`, 'end'),
    ]),
    ...Array.from({ length: Math.floor(end / step) + 1 }, (_, i) =>
      text(x(i * step), height - BOTTOM + 16, `${+(i * step).toFixed(2)} s`, 'middle'),
    ),
  ];
  const drawn = curves.map(({ name, points }, i) => {
    const colour = LINES[i % LINES.length] ?? INK;
    const path = points.map((each) => `${x(each.seconds).toFixed(1)},${y(each.share).toFixed(1)}`);
    return [
      `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      `<rect x="${right + 14}" y="${TOP + i * 22}" width="12" height="12" rx="2" fill="${colour}"/>`,
      text(right + 32, TOP + 11 + i * 22, name, 'start'),
    ].join('');
  });
  return { file, alt: title, svg: page(height, title, [...marks, ...drawn]) };
}

function decades(low: number, high: number): number[] {
  const all: number[] = [];
  for (let value = low; value <= high * 1.0001; value *= 10) all.push(+value.toPrecision(1));
  return all;
}

function page(height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="22" font-size="14" font-weight="600" fill="${INK}">${escaped(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}"/>`;
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${INK}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
