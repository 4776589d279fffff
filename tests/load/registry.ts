import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { startNats, type TestNats } from '../support/nats-server.ts';
import { openLoader, SCANNED_AREA } from './registry-load.ts';

const Look = z.object({ longestBlockMs: z.number(), rssMb: z.number(), peakRssMb: z.number() });
const Whole = Look.extend({
  type: z.literal('whole'),
  /** From the start of the process. */
  ms: z.number(),
  cpuSeconds: z.number(),
  devices: z.number(),
  /** Copies taken from a peer. */
  copies: z.number(),
  port: z.number(),
  /** Of the process before it opened the file. */
  baseRssMb: z.number(),
  fileMb: z.number(),
});
type Whole = z.infer<typeof Whole>;
const Scanned = z.object({
  type: z.literal('scanned'),
  rows: z.number(),
  ms: z.number(),
  countMs: z.number(),
  longestPageMs: z.number(),
});
type Scanned = z.infer<typeof Scanned>;
const Block = Look.extend({ type: z.literal('block') });

/** Figures of one size of registry. Times are from the start of a process to a replica that holds everybody. */
interface RegistryFigures {
  readonly devices: number;
  readonly loadSeconds: number;
  readonly coldFromStream: Whole;
  readonly coldFromPeer: Whole;
  readonly longestBlockOfGiverMs: number;
  readonly warmRestart: Whole;
  readonly behind1000: Whole;
  readonly behind10Percent: Whole;
  readonly commune: Scanned;
  readonly department: Scanned;
  readonly everybody: Scanned;
  /** Of the replica from a copy after all scans. */
  readonly rssAfterScansMb: number;
  readonly busRssMb: number;
  readonly busDiskMb: number;
}

const DEFAULT_SIZES = [10_000, 100_000, 1_000_000];
const WHOLE_WITHIN_MS = 600_000;
/** Every department that the devices of the load live in. */
const EVERYWHERE = ['06', ...Array.from({ length: 70 }, (_, i) => String(21 + i))];

interface Replica {
  readonly whole: Whole;
  /** The second of two: what an alert reads first is read from the disk. */
  readonly scan: (areas: readonly string[]) => Promise<Scanned>;
  readonly look: () => Promise<z.infer<typeof Block>>;
  readonly end: () => Promise<void>;
}

async function startReplica(
  path: string,
  nats: TestNats,
  devices: number,
  peerPort?: number,
): Promise<Replica> {
  const setup = {
    path,
    sites: JSON.stringify([{ site: 'a', url: nats.url, monitorUrl: nats.monitorUrl }]),
    peers: JSON.stringify(
      peerPort === undefined ? [] : [{ name: 'b', site: 'b', url: `http://127.0.0.1:${peerPort}` }],
    ),
  };
  const child = fork(join(import.meta.dirname, 'replica-process.ts'), [JSON.stringify(setup)]);
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  const answer = <Schema extends z.ZodType>(schema: Schema) =>
    new Promise<z.infer<Schema>>((done, fail) => {
      const timer = setTimeout(() => fail(new Error('no answer in time')), WHOLE_WITHIN_MS);
      child.once('message', (message) => {
        clearTimeout(timer);
        done(schema.parse(message));
      });
      void gone.then(() => fail(new Error('the replica ended')));
    });
  const whole = await answer(Whole);
  if (whole.devices !== devices)
    throw new Error(`the replica holds ${whole.devices}, not ${devices}`);
  if (whole.copies !== (peerPort === undefined ? 0 : 1)) throw new Error('no copy was taken');
  return {
    whole,
    scan: async (areas) => {
      child.send({ ask: 'scan', areas });
      await answer(Scanned);
      child.send({ ask: 'scan', areas });
      return answer(Scanned);
    },
    look: () => {
      child.send({ ask: 'block' });
      return answer(Block);
    },
    end: async () => {
      child.send({ ask: 'end' });
      await gone;
    },
  };
}

async function measure(devices: number, say: (line: string) => void): Promise<RegistryFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-registry-'));
  const nats = await startNats({ storeDir: join(folder, 'store') });
  const loader = await openLoader(nats.url);
  const path = (name: string) => join(folder, `${name}.sqlite`);
  const restart = async (): Promise<Whole> => {
    const replica = await startReplica(path('stream'), nats, devices);
    await replica.end();
    return replica.whole;
  };
  try {
    say(`${devices}: loading the stream`);
    const startedMs = performance.now();
    await loader.register(0, devices);
    const loadSeconds = (performance.now() - startedMs) / 1000;
    const bus = await busFigures(nats);
    say(`${devices}: a replica from the stream`);
    const first = await startReplica(path('stream'), nats, devices);
    await first.look();
    say(`${devices}: a replica from its copy`);
    const second = await startReplica(path('copy'), nats, devices, first.whole.port);
    const giver = await first.look();
    say(`${devices}: scans`);
    const commune = await second.scan([SCANNED_AREA]);
    const department = await second.scan(['75']);
    const everybody = await second.scan(EVERYWHERE);
    const after = await second.look();
    await second.end();
    await first.end();
    say(`${devices}: restarts`);
    const warmRestart = await restart();
    await loader.register(0, Math.min(1_000, devices));
    const behind1000 = await restart();
    await loader.register(0, devices / 10);
    const behind10Percent = await restart();
    return {
      devices,
      loadSeconds,
      coldFromStream: first.whole,
      coldFromPeer: second.whole,
      longestBlockOfGiverMs: giver.longestBlockMs,
      warmRestart,
      behind1000,
      behind10Percent,
      commune,
      department,
      everybody,
      rssAfterScansMb: after.rssMb,
      ...bus,
    };
  } finally {
    await loader.close();
    await nats.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function busFigures(nats: TestNats): Promise<{ busRssMb: number; busDiskMb: number }> {
  const status = readFileSync(`/proc/${nats.pid()}/status`, 'utf8');
  const answer = await fetch(`${nats.monitorUrl}/jsz`);
  const { storage } = z.looseObject({ storage: z.number() }).parse(await answer.json());
  return {
    busRssMb: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1e3,
    busDiskMb: storage / 1e6,
  };
}

const ROWS: readonly [string, (figures: RegistryFigures) => string][] = [
  ['load into the stream', (f) => seconds(f.loadSeconds)],
  ['cold start from the stream (CPU)', (f) => start(f.coldFromStream)],
  ['cold start from a peer’s copy (CPU)', (f) => start(f.coldFromPeer)],
  ['restart with a warm file (CPU)', (f) => start(f.warmRestart)],
  ['the same, 1,000 changes behind', (f) => start(f.behind1000)],
  ['the same, 10 % of all behind', (f) => start(f.behind10Percent)],
  ['scan of an area of 10 %', (f) => scanned(f.commune)],
  ['scan of a department of 22 %', (f) => scanned(f.department)],
  ['scan of everybody', (f) => scanned(f.everybody)],
  ['longest page of 200 of these', (f) => ms(longestPage(f))],
  [
    'count of the area / of everybody',
    (f) => `${ms(f.commune.countMs)} / ${ms(f.everybody.countMs)}`,
  ],
  [
    'longest block: filling from the stream / from a copy',
    (f) => `${ms(f.coldFromStream.longestBlockMs)} / ${ms(f.coldFromPeer.longestBlockMs)}`,
  ],
  [
    'longest block: warm start / catching up 10 % / giving a copy',
    (f) =>
      `${ms(f.warmRestart.longestBlockMs)} / ${ms(f.behind10Percent.longestBlockMs)} / ${ms(f.longestBlockOfGiverMs)}`,
  ],
  [
    'memory before the file is opened / from the stream, at most / from a copy / after all scans',
    (f) =>
      `${mb(f.coldFromStream.baseRssMb)} / ${mb(f.coldFromStream.peakRssMb)} / ${mb(f.coldFromPeer.rssMb)} / ${mb(f.rssAfterScansMb)}`,
  ],
  ['beyond that base, after all scans', (f) => perDevice(f)],
  ['file', (f) => mb(f.coldFromPeer.fileMb)],
  ['bus: memory / disk', (f) => `${mb(f.busRssMb)} / ${mb(f.busDiskMb)}`],
];

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

function start({ ms: wallMs, cpuSeconds }: Whole): string {
  return `${seconds(wallMs / 1000)} (${seconds(cpuSeconds)})`;
}

function scanned({ rows, ms: wallMs }: Scanned): string {
  return `${((wallMs * 1000) / rows).toFixed(1)} µs each`;
}

function longestPage({ commune, department, everybody }: RegistryFigures): number {
  return Math.max(...[commune, department, everybody].map((each) => each.longestPageMs));
}

function perDevice({ devices, rssAfterScansMb, coldFromPeer }: RegistryFigures): string {
  const bytes = ((rssAfterScansMb - coldFromPeer.baseRssMb) * 1e6) / devices;
  return `${Math.round(bytes).toLocaleString('en-GB')} bytes a device`;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function mb(value: number): string {
  return `${Math.round(value)} MB`;
}

function table(all: readonly RegistryFigures[]): string {
  const head = ['', ...all.map(({ devices }) => devices.toLocaleString('en-GB'))];
  const rows = ROWS.map(([title, cell]) => [title, ...all.map(cell)]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const wanted = process.env['SIZE'];
const sizes = wanted === undefined || wanted === '' ? DEFAULT_SIZES : wanted.split(',').map(Number);
const startedMs = performance.now();
const figures: RegistryFigures[] = [];
for (const devices of sizes)
  figures.push(await measure(devices, (line) => process.stderr.write(`${line}\n`)));
const report = {
  at: new Date().toISOString(),
  tookSeconds: Math.round((performance.now() - startedMs) / 1000),
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    loadOneMinute: loadavg()[0],
  },
  figures,
};
const folder = resolve('reports');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'registry.json'), `${JSON.stringify(report, null, 2)}\n`);
const conditions = `${report.tookSeconds} s on ${report.machine.cores} × ${report.machine.cpu}, Node ${report.machine.node}, load ${report.machine.loadOneMinute?.toFixed(1)} at the end (\`reports/registry.json\`).`;
process.stdout.write(`\n${table(figures)}\n\n${conditions}\n`);
if (sizes.join() === DEFAULT_SIZES.join()) writePage(`${table(figures)}\n\n${conditions}`);

/** Puts the figures of a whole run between the marks in docs/registry.md. */
function writePage(text: string): void {
  const page = resolve('docs', 'registry.md');
  const [begin, end] = ['<!-- begin: make bench-registry -->', '<!-- end: make bench-registry -->'];
  const before = readFileSync(page, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error('docs/registry.md lacks the marks of make bench-registry');
  writeFileSync(page, `${before.slice(0, from + begin.length)}\n${text}\n${before.slice(to)}`);
  process.stdout.write('Written to docs/registry.md.\n');
}
