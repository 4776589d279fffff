import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import { draftAlert, post, prefectureKey } from '../../failover/harness/alerts.ts';
import { type BenchSystem, startBenchSystem } from '../alert/bench-system.ts';
import { cpuSeconds } from '../alert/process-figures.ts';
import { keepInFlight } from '../contest/in-flight.ts';
import type { RunOptions, Section } from '../report/section.ts';
import { markdownTable } from '../report/tables.ts';

interface IngestFigures {
  /** Requests under way at a time. */
  readonly width: number;
  readonly alerts: number;
  readonly refused: number;
  readonly alertsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly ingestCpuMs: number;
}

/** One after the other for the latency; then as many as ingest takes without refusing (MAX_IN_WORK is 32). */
const LOADS = [
  { width: 1, alerts: 100 },
  { width: 16, alerts: 400 },
] as const;

/** Alerts through the API of one ingest, stored by both lanes of two sites before each 202. */
export async function ingestBench({ scale, say }: RunOptions): Promise<Section> {
  await using cleanup = new CleanupStack(30_000);
  say('ingest: starting two sites');
  const bench = await startBenchSystem(cleanup);
  await measure(bench, { width: 4, alerts: 20 });
  const all: IngestFigures[] = [];
  for (const { width, alerts } of LOADS) {
    say(`ingest: ${alerts} alerts, ${width} at a time`);
    all.push(await measure(bench, { width, alerts: Math.ceil(alerts * scale) }));
  }
  const rows = all.map((each) => [
    String(each.width),
    String(each.alerts),
    String(each.refused),
    each.alertsPerSecond.toFixed(0),
    `${each.p50Ms.toFixed(1)} ms`,
    `${each.p99Ms.toFixed(1)} ms`,
    `${each.ingestCpuMs.toFixed(1)} ms`,
  ]);
  return {
    title: 'Ingest',
    figures: all,
    text: [
      '**Alerts through ingest** (two sites, both lanes, nobody registered in the area; 202 comes when two sites have the alert on disk)',
      '',
      markdownTable(
        [
          'at a time',
          'alerts',
          'refused',
          'alerts/s',
          '202 after, median',
          '99 %',
          'ingest’s CPU/alert',
        ],
        rows,
      ),
    ].join('\n'),
    musts: [],
    plots: [],
  };
}

async function measure(
  { system }: BenchSystem,
  { width, alerts }: { width: number; alerts: number },
): Promise<IngestFigures> {
  const key = prefectureKey(system);
  const drafts = await Promise.all(Array.from({ length: alerts }, () => draftAlert()));
  const tookMs: number[] = [];
  const pid = system.pid('ingest-a');
  const cpuBefore = cpuSeconds(pid);
  const startedMs = performance.now();
  await keepInFlight(width, alerts, async (i) => {
    const draft = drafts[i];
    if (!draft) return;
    const answer = await post(urlOf(system, 'ingest-a'), draft, key);
    if (answer.accepted) tookMs.push(answer.tookMs);
  });
  const wallMs = performance.now() - startedMs;
  const sorted = tookMs.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return {
    ...{ width, alerts, refused: alerts - sorted.length },
    alertsPerSecond: (sorted.length / wallMs) * 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    ingestCpuMs: ((cpuSeconds(pid) - cpuBefore) / alerts) * 1000,
  };
}

const REGISTRY_SIZES = [10_000, 100_000];
const REGISTRY_MS = 180_000;

/** The registry's replicas: load, cold start, scan and catch-up, by the registry's own measure. */
export async function registryBench({ scale, say }: RunOptions): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-registry-bench-'));
  const title = 'The registry’s replicas';
  const sizes = REGISTRY_SIZES.map((size) => Math.max(1_000, Math.ceil(size * scale)));
  say(`registry: ${sizes.join(' and ')} devices`);
  try {
    // In a folder of its own, so that the report of a whole `make bench-registry` stays.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [resolve(import.meta.dirname, '../registry.ts')],
      {
        cwd: folder,
        timeout: REGISTRY_MS,
        killSignal: 'SIGKILL',
        env: {
          ...process.env,
          SIZE: sizes.join(','),
          STATE_DIR: resolve(process.env['STATE_DIR'] || '.tocsin'),
        },
      },
    );
    const report = readFileSync(join(folder, 'reports/registry.json'), 'utf8');
    const { figures } = z.object({ figures: z.unknown() }).parse(JSON.parse(report));
    const table = stdout.split('\n').filter((line) => line.startsWith('|'));
    return { title, figures, text: table.join('\n'), musts: [], plots: [] };
  } catch (error) {
    const text = `Not measured: ${errorFields(error).error}`;
    return { title, figures: null, text, musts: [], plots: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
