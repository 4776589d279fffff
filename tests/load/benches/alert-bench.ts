import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import {
  type BenchSystem,
  REPLY_MS,
  SENDER_SETTINGS,
  startBenchSystem,
} from '../alert/bench-system.ts';
import { audienceOf, type FanOut, fanOut, MAIN_AREA, OTHER_AREAS } from '../alert/fan-out.ts';
import { loadDevices } from '../alert/load-devices.ts';
import { type PreparedFigures, untilPrepared } from '../alert/prepared.ts';
import { rssBytes } from '../alert/process-figures.ts';
import { curvesPlot } from '../report/plot.ts';
import {
  atMost,
  type Must,
  type Plot,
  type RunOptions,
  type Section,
  seconds,
  whole,
} from '../report/section.ts';
import { markdownTable } from '../report/tables.ts';

interface SizeFigures {
  /** When it was measured. */
  readonly at: string;
  readonly devices: number;
  readonly settings: typeof SENDER_SETTINGS;
  readonly othersDevices: number;
  readonly loadSeconds: number;
  readonly memory: { readonly emptyBytes: number; readonly fullBytes: number };
  readonly prepared: PreparedFigures;
  readonly runs: readonly FanOut[];
  readonly failure?: string;
}

const SIZES = [10_000, 100_000];
/** Sizes that stay on the page; others are trials. */
const KEPT: ReadonlySet<number> = new Set([...SIZES, 1_000_000]);
/** With fewer subscriptions the process itself is what is measured. */
const ENOUGH_FOR_MEMORY = 100_000;
/** Of all the other alerts together: a night on which much happens, each for a commune. */
const MOST_OTHERS = 25_500;
const SLOWEST_LOAD_PER_SECOND = 1_000;
const PLATEAU_MS = 2_000;

/** One alert through two whole sites, at each size on a system of its own. */
export async function alertBench(options: RunOptions): Promise<Section> {
  const measured: SizeFigures[] = [];
  for (const devices of options.sizes ?? SIZES.map((size) => Math.ceil(size * options.scale)))
    measured.push(await measureSize(devices, options.say));
  const all = [...earlierSizes(measured), ...measured].sort((a, b) => a.devices - b.devices);
  return {
    title: 'One alert through the whole system',
    figures: all,
    text: [runsTable(all), settingsLine(), memoryTable(all), ...all.flatMap(failureLine)].join(
      '\n\n',
    ),
    musts: mustsOf(all),
    plots: measured.flatMap(plotOf),
  };
}

async function measureSize(devices: number, say: (line: string) => void): Promise<SizeFigures> {
  await using cleanup = new CleanupStack(30_000);
  const name = whole(devices);
  say(`${name} devices: starting two sites`);
  const bench = await startBenchSystem(cleanup);
  const perOther = Math.floor(Math.min(devices, MOST_OTHERS) / OTHER_AREAS.length);
  const emptyBytes = await quietRss(bench.system.pid('dispatcher-a'));
  const startedMs = performance.now();
  const total = devices + perOther * OTHER_AREAS.length;
  let saidMs = 0;
  await loadDevices(bench.buses, crowdOf(bench, devices, perOther), (loaded) => {
    if (performance.now() - saidMs < 2_000) return;
    saidMs = performance.now();
    say(`${name} devices: ${whole(loaded)} of ${whole(total)} in the streams of both sites`);
  });
  await untilKnown(bench, devices, perOther, say);
  const loadSeconds = (performance.now() - startedMs) / 1000;
  // As on the day of an alert: started long ago, with keys prepared for everybody whom the replica had then.
  say(`${name} devices: dispatchers start again with their replicas and prepare keys`);
  await bench.system.kill('dispatcher-a', 'dispatcher-b');
  await bench.system.start('dispatcher-a', 'dispatcher-b');
  await untilKnown(bench, devices, perOther, say);
  const prepared = await untilPrepared(bench, Math.floor(total / 2), say);
  const fullBytes = await quietRss(bench.system.pid('dispatcher-a'));
  const runs: FanOut[] = [];
  const figures = {
    at: new Date().toISOString(),
    settings: SENDER_SETTINGS,
    ...{ devices, othersDevices: perOther * OTHER_AREAS.length, loadSeconds, prepared, runs },
    memory: { emptyBytes, fullBytes },
  };
  try {
    for (const scenario of ['plain', 'killed', 'others'] as const) {
      say(`${name} devices: the alert, ${scenario}`);
      const run = await fanOut(bench, scenario, devices);
      runs.push(run);
      say(
        `${name} devices: ${scenario}: ${whole(run.reached)} reached, first ${seconds(run.firstSeconds)}, last ${seconds(run.lastSeconds)}`,
      );
      if (scenario === 'killed') await bringBack(bench, devices, perOther, say);
      if (scenario !== 'others') await untilPrepared(bench, Math.floor(total / 2), say);
    }
    return figures;
  } catch (error) {
    return { ...figures, failure: error instanceof Error ? error.message : String(error) };
  }
}

function crowdOf({ pushOrigin }: BenchSystem, devices: number, perOther: number) {
  const others = OTHER_AREAS.map((code) => ({ code, devices: perOther }));
  return { pushOrigin, areas: [{ code: MAIN_AREA, devices }, ...others] };
}

/** The smallest of a few looks: garbage that is about to be collected is not what a subscription costs. */
async function quietRss(pid: number): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < 5; i++) {
    await sleep(PLATEAU_MS / 5);
    looks.push(rssBytes(pid));
  }
  return Math.min(...looks);
}

async function untilKnown(
  bench: BenchSystem,
  devices: number,
  perOther: number,
  say: (line: string) => void,
): Promise<void> {
  const endMs = performance.now() + 60_000 + (devices / SLOWEST_LOAD_PER_SECOND) * 1000;
  for (;;) {
    const known = await Promise.all(
      bench.system.sites.map(async (site) => ({
        main: await audienceOf(bench, site, MAIN_AREA),
        last: await audienceOf(bench, site, OTHER_AREAS.at(-1) ?? MAIN_AREA),
      })),
    );
    if (known.every(({ main, last }) => main === devices && last === perOther)) return;
    if (performance.now() > endMs) throw new Error('the dispatchers did not get to know everybody');
    say(`dispatchers know ${known.map(({ main }) => whole(main)).join(' and ')} devices`);
    await sleep(1_000);
  }
}

async function bringBack(
  bench: BenchSystem,
  devices: number,
  perOther: number,
  say: (line: string) => void,
): Promise<void> {
  await bench.system.start('dispatcher-b');
  bench.proveAgain('b');
  await untilKnown(bench, devices, perOther, say);
}

const SCENARIO_TEXT = {
  plain: 'nothing else',
  killed: 'one of two dispatchers killed at 50 %',
  others: '51 other alerts',
} as const;

function runsTable(all: readonly SizeFigures[]): string {
  const rows = all.flatMap(({ devices, runs }) =>
    runs.map((run) => {
      const dispatchers = dispatcherCpu(run);
      return [
        whole(devices),
        SCENARIO_TEXT[run.scenario],
        whole(run.reached),
        seconds(run.acceptedSeconds),
        seconds(run.firstSeconds),
        seconds(run.p50Seconds),
        seconds(run.p95Seconds),
        seconds(run.p99Seconds),
        seconds(run.lastSeconds),
        whole((run.messages / Math.max(run.devices, 1)) * 100),
        ((dispatchers / run.messages) * 1e6).toFixed(0),
      ];
    }),
  );
  return [
    `**One alert to everybody, half FCM, half Web Push, providers that answer after ${REPLY_MS} ms** (seconds after the request to ingest)`,
    '',
    markdownTable(
      [
        ...['devices', 'meanwhile', 'reached', '202', 'first', '50 %', '95 %', '99 %', 'last'],
        ...['messages, % of devices', 'dispatchers’ CPU µs/message'],
      ],
      rows,
    ),
  ].join('\n');
}

function memoryTable(all: readonly SizeFigures[]): string {
  return markdownTable(
    [
      ...['measured', 'devices known', 'load into both sites', 'prepared keys', 'prepared after'],
      ...['dispatcher, empty', 'dispatcher, full', 'bytes a subscription'],
    ],
    all.map((size) => [
      size.at.slice(0, 10),
      whole(size.devices + size.othersDevices),
      seconds(size.loadSeconds),
      size.prepared.records === null ? 'not said' : whole(size.prepared.records),
      size.prepared.seconds === null ? '–' : seconds(size.prepared.seconds),
      `${whole(size.memory.emptyBytes / 1e6)} MB`,
      `${whole(size.memory.fullBytes / 1e6)} MB`,
      whole(bytesEach(size)),
    ]),
  );
}

function settingsLine(): string {
  const said = Object.entries(SENDER_SETTINGS).map(([name, value]) => `\`${name}=${value}\``);
  const how = said.length === 0 ? 'as they ship' : `with ${said.join(', ')}`;
  return `Dispatchers ${how}; they keep Google’s quota of 600,000 messages a minute, which is 10,000 a second for both together, and its ramp.`;
}

function bytesEach({ memory, devices, othersDevices }: SizeFigures): number {
  return (memory.fullBytes - memory.emptyBytes) / (devices + othersDevices);
}

function dispatcherCpu({ cpuSeconds }: FanOut): number {
  return Object.entries(cpuSeconds)
    .filter(([name]) => name.startsWith('dispatcher'))
    .reduce((sum, [, each]) => sum + each, 0);
}

function failureLine({ devices, failure }: SizeFigures): string[] {
  return failure === undefined ? [] : [`With ${whole(devices)} devices not finished: ${failure}`];
}

function plotOf({ devices, runs }: SizeFigures): Plot[] {
  if (runs.length === 0) return [];
  const curves = runs.map(({ scenario, curve }) => ({
    name: SCENARIO_TEXT[scenario].replace('one of two dispatchers ', ''),
    points: curve,
  }));
  const title = `Share of ${whole(devices)} devices whose provider has the alert`;
  return [curvesPlot(title, curves, `bench-alert-${devices}.svg`)];
}

const Earlier = z.object({
  sections: z.object({ alert: z.object({ figures: z.array(z.custom<SizeFigures>()) }) }),
});

/** Sizes of earlier runs that this one did not measure: they stay, and growth is seen over two of them. */
function earlierSizes(now: readonly SizeFigures[]): SizeFigures[] {
  const file = resolve(join(import.meta.dirname, '../../../reports/bench.json'));
  if (!existsSync(file)) return [];
  const before = Earlier.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  const known = before.data?.sections.alert.figures ?? [];
  return known.filter(
    ({ devices }) => KEPT.has(devices) && !now.some((each) => each.devices === devices),
  );
}

function mustsOf(all: readonly SizeFigures[]): Must[] {
  const bySize = (devices: number) => all.find((each) => each.devices === devices);
  const killed = bySize(100_000)?.runs.find(({ scenario }) => scenario === 'killed');
  const last = killed && killed.reached === killed.devices ? killed.lastSeconds : undefined;
  const costOf = (devices: number) => {
    const plain = bySize(devices)?.runs.find(({ scenario }) => scenario === 'plain');
    return plain && dispatcherCpu(plain) / plain.messages;
  };
  const [small, large] = [costOf(100_000), costOf(1_000_000)];
  const growth = small === undefined || large === undefined ? undefined : large / small;
  const biggest = [...all]
    .filter(({ devices }) => devices >= ENOUGH_FOR_MEMORY)
    .sort((a, b) => a.devices - b.devices)
    .at(-1);
  return [
    atMost(
      '100,000 devices, one of two dispatchers killed at 50 %: last device',
      15,
      last ?? (killed ? Number.POSITIVE_INFINITY : undefined),
      seconds,
    ),
    atMost(
      'CPU for each message at 1,000,000 devices, of that at 100,000',
      1.1,
      growth,
      (value) => `×${value.toFixed(2)}`,
    ),
    atMost(
      `dispatcher’s memory for each subscription, prepared keys included (at ${whole(biggest?.devices ?? ENOUGH_FOR_MEMORY)} devices)`,
      600,
      biggest && bytesEach(biggest),
      (value) => `${whole(value)} bytes`,
    ),
  ];
}
