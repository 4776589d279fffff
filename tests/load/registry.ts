import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { startNats, type TestNats } from '../support/nats-server.ts';
import { openLoader, SCANNED_AREA } from './registry-load.ts';

/** Figures of one size of registry. Times are from the start of a process to a replica that holds everybody. */
interface RegistryFigures {
  readonly devices: number;
  readonly loadSeconds: number;
  readonly coldFromStreamSeconds: number;
  /** Of the replica's process: what a machine that does nothing else would take at least. */
  readonly coldFromStreamCpuSeconds: number;
  readonly coldFromPeerSeconds: number;
  readonly coldFromPeerCpuSeconds: number;
  readonly warmRestartSeconds: number;
  readonly catchUp1000Seconds: number;
  readonly catchUp10PercentSeconds: number;
  readonly scanRowsPerSecond: number;
  readonly scanRows: number;
  readonly countMs: number;
  readonly rssMb: number;
  readonly peakRssMb: number;
  readonly fileMb: number;
  readonly busRssMb: number;
  readonly busDiskMb: number;
}

const Whole = z.object({
  type: z.literal('whole'),
  ms: z.number(),
  openMs: z.number(),
  cpuSeconds: z.number(),
  devices: z.number(),
  /** Copies taken from a peer. */
  copies: z.number(),
  port: z.number(),
  rssMb: z.number(),
  peakRssMb: z.number(),
  fileMb: z.number(),
});
const Scanned = z.object({
  type: z.literal('scanned'),
  rows: z.number(),
  ms: z.number(),
  countMs: z.number(),
});

const DEFAULT_SIZES = [10_000, 100_000, 1_000_000];
const WHOLE_WITHIN_MS = 600_000;
/** Recipients in a shard, as ingest cuts audiences. */
const PER_SHARD = 2_000;

interface Replica {
  readonly whole: z.infer<typeof Whole>;
  readonly scan: () => Promise<z.infer<typeof Scanned>>;
  readonly end: () => Promise<void>;
}

async function startReplica(
  path: string,
  nats: TestNats,
  devices: number,
  peerPort?: number,
): Promise<Replica> {
  const shards = 2 ** Math.max(0, Math.ceil(Math.log2(devices / 10 / PER_SHARD)));
  const setup = {
    path,
    sites: JSON.stringify([{ site: 'a', url: nats.url, monitorUrl: nats.monitorUrl }]),
    peers: JSON.stringify(
      peerPort === undefined ? [] : [{ name: 'b', site: 'b', url: `http://127.0.0.1:${peerPort}` }],
    ),
    area: SCANNED_AREA,
    shards,
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
    scan: () => {
      child.send('scan');
      return answer(Scanned);
    },
    end: async () => {
      child.send('end');
      await gone;
    },
  };
}

async function measure(devices: number, say: (line: string) => void): Promise<RegistryFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-registry-'));
  const nats = await startNats({ storeDir: join(folder, 'store') });
  const loader = await openLoader(nats.url);
  const path = (name: string) => join(folder, `${name}.sqlite`);
  const restart = async (): Promise<number> => {
    const replica = await startReplica(path('stream'), nats, devices);
    await replica.end();
    return replica.whole.ms / 1000;
  };
  try {
    say(`${devices}: loading the stream`);
    const startedMs = performance.now();
    await loader.register(0, devices);
    const loadSeconds = (performance.now() - startedMs) / 1000;
    const bus = await busFigures(nats);
    say(`${devices}: a replica from the stream`);
    const first = await startReplica(path('stream'), nats, devices);
    say(`${devices}: a replica from its copy`);
    const second = await startReplica(path('copy'), nats, devices, first.whole.port);
    await second.end();
    await first.scan();
    const scanned = await first.scan();
    await first.end();
    say(`${devices}: restarts`);
    const warmRestartSeconds = await restart();
    await loader.register(0, Math.min(1_000, devices));
    const catchUp1000Seconds = await restart();
    await loader.register(0, devices / 10);
    const catchUp10PercentSeconds = await restart();
    return {
      devices,
      loadSeconds,
      coldFromStreamSeconds: first.whole.ms / 1000,
      coldFromStreamCpuSeconds: first.whole.cpuSeconds,
      coldFromPeerSeconds: second.whole.ms / 1000,
      coldFromPeerCpuSeconds: second.whole.cpuSeconds,
      warmRestartSeconds,
      catchUp1000Seconds,
      catchUp10PercentSeconds,
      scanRowsPerSecond: (scanned.rows / scanned.ms) * 1000,
      scanRows: scanned.rows,
      countMs: scanned.countMs,
      rssMb: second.whole.rssMb,
      peakRssMb: first.whole.peakRssMb,
      fileMb: second.whole.fileMb,
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
  [
    'cold start from the stream (CPU)',
    (f) => withCpu(f.coldFromStreamSeconds, f.coldFromStreamCpuSeconds),
  ],
  [
    'cold start from a peer’s copy (CPU)',
    (f) => withCpu(f.coldFromPeerSeconds, f.coldFromPeerCpuSeconds),
  ],
  ['restart with a warm file', (f) => seconds(f.warmRestartSeconds)],
  ['the same, 1,000 changes behind', (f) => seconds(f.catchUp1000Seconds)],
  ['the same, 10 % of all behind', (f) => seconds(f.catchUp10PercentSeconds)],
  [
    'scan of an area of 10 %',
    (f) => `${Math.round(f.scanRowsPerSecond).toLocaleString('en-GB')} rows/s`,
  ],
  ['count of that area', (f) => `${f.countMs.toFixed(1)} ms`],
  ['memory after a copy / at most, from the stream', (f) => `${mb(f.rssMb)} / ${mb(f.peakRssMb)}`],
  ['file', (f) => mb(f.fileMb)],
  ['bus: memory / disk', (f) => `${mb(f.busRssMb)} / ${mb(f.busDiskMb)}`],
];

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

function withCpu(wallSeconds: number, cpuSeconds: number): string {
  return `${seconds(wallSeconds)} (${seconds(cpuSeconds)})`;
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
process.stdout.write(
  `\n${table(figures)}\n\n${report.tookSeconds} s on ${report.machine.cores} × ${report.machine.cpu}, Node ${report.machine.node}, load ${report.machine.loadOneMinute?.toFixed(1)}; written to reports/registry.json\n`,
);
