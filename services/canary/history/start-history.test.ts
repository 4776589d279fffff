import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '../../../shared/log/logger.ts';
import type { JudgedPath, RoundResult } from '../judge.ts';
import { allPaths, pathName } from '../paths.ts';
import { BUCKET_MS, summarizeSegments } from './buckets.ts';
import { startHistory } from './start-history.ts';

const NOW = Date.UTC(2026, 6, 14, 20, 32);
const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };
const PATHS = allPaths(['a'], ['a']);
const [path] = PATHS;
if (!path) throw new Error('no path');
const PROVED: RoundResult = { kind: 'proved', latencyMs: 300 };
const MISSED: RoundResult = { kind: 'missed', stage: 'not-received' };

let folder: string;
let nowMs: number;
const stops: AbortController[] = [];
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-history-'));
  nowMs = NOW;
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(judged: () => readonly JudgedPath[] = () => []) {
  const stop = new AbortController();
  stops.push(stop);
  const log = createLogger('canary', 'a', 'silent');
  return startHistory(
    { dataDir: folder, paths: PATHS, timetable: TIMETABLE },
    { judged, wallNow: () => nowMs, log, signal: stop.signal },
  );
}
const statesOf = (history: ReturnType<typeof start>, of = path) =>
  history
    .paths()
    .get(pathName(of))
    ?.map(({ state }) => state);

test('a restart keeps what was, and the time between shows as not measured', () => {
  const first = start();
  for (let i = 0; i < 5; i++) first.record(path, PROVED);
  nowMs += BUCKET_MS;
  for (let i = 0; i < 5; i++) first.record(path, MISSED);
  first.close();
  first.record(path, PROVED);
  nowMs += 4 * BUCKET_MS;
  const second = start();
  for (let i = 0; i < 5; i++) second.record(path, PROVED);
  expect(statesOf(second)).toEqual([
    'not-measured',
    'proved',
    'unproved',
    'not-measured',
    'proved',
  ]);
  const gap = second.paths().get(pathName(path))?.[3];
  expect(gap && gap.toMs - gap.fromMs).toBe(3 * BUCKET_MS);
  second.close();
});

test('a canary that is killed has lost no round that had ended', async () => {
  const script = `
    import { createLogger } from '${join(import.meta.dirname, '../../../shared/log/logger.ts')}';
    import { startHistory } from '${join(import.meta.dirname, 'start-history.ts')}';
    const path = ${JSON.stringify(path)};
    const history = startHistory(
      { dataDir: ${JSON.stringify(folder)}, paths: [path], timetable: ${JSON.stringify(TIMETABLE)} },
      { judged: () => [], wallNow: () => ${NOW}, log: createLogger('canary', 'a', 'silent'), signal: new AbortController().signal },
    );
    for (let i = 0; i < 7; i++) history.record(path, { kind: 'proved', latencyMs: 100 + i });
    history.record(path, { kind: 'missed', stage: 'not-received' });
    process.stdout.write('written');
    setInterval(() => undefined, 1000);`;
  const file = join(folder, 'child.mts');
  writeFileSync(file, script);
  const killed = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = killed;
  await new Promise((resolve) => killed.stdout.once('data', resolve));
  killed.kill('SIGKILL');
  await new Promise((resolve) => killed.once('exit', resolve));
  const db = new DatabaseSync(join(folder, 'history.sqlite'), { readOnly: true });
  expect(db.prepare('SELECT proved, lost, worst_ms FROM buckets').all()).toEqual([
    expect.objectContaining({ proved: 7, lost: 1, worst_ms: 106 }),
  ]);
  db.close();
  expect(statesOf(start())).toEqual(['not-measured', 'partly']);
});

test('it is bounded: what is older than a day is forgotten, unknown paths are never kept', () => {
  const history = start();
  history.record(path, PROVED);
  history.record({ ...path, ingest: 'stranger' }, PROVED);
  expect(history.paths().size).toBe(PATHS.length);
  history.close();
  nowMs += 25 * 3_600_000;
  const later = start();
  expect(statesOf(later)).toEqual(['not-measured']);
  later.close();
  const db = new DatabaseSync(join(folder, 'history.sqlite'), { readOnly: true });
  expect(db.prepare('SELECT count(*) AS n FROM buckets').get()).toEqual({ n: 0 });
  db.close();
});

test('a damaged file is put aside and a new one begun', () => {
  writeFileSync(join(folder, 'history.sqlite'), 'no database '.repeat(400));
  const history = start();
  history.record(path, PROVED);
  history.close();
  const again = start();
  expect(statesOf(again)?.at(-1)).not.toBe('not-measured');
  again.close();
});

test('a disk that takes nothing costs the next life its history, and nothing else', () => {
  mkdirSync(join(folder, 'history.sqlite'));
  mkdirSync(join(folder, 'history.sqlite.damaged'));
  writeFileSync(join(folder, 'history.sqlite.damaged', 'full'), '');
  const history = start();
  history.record(path, PROVED);
  history.record(path, MISSED);
  const segments = history.paths().get(pathName(path)) ?? [];
  expect(summarizeSegments(segments).totalMs.partly).toBeGreaterThan(0);
  history.close();
});

test('the minutes of a day are counted on after a restart', () => {
  const record = { path, state: 'proved', ageMs: 4_000, silenceMs: 4_000 };
  const judged = () => [record as JudgedPath];
  const first = start(judged);
  expect(first.days()).toMatchObject([{ day: '2026-07-14', transport: path.transport, proved: 1 }]);
  first.close();
  const sameMinute = start(judged);
  expect(sameMinute.days()).toMatchObject([{ proved: 1 }]);
  sameMinute.close();
  nowMs += 60_000;
  const next = start(judged);
  expect(next.days()).toMatchObject([{ proved: 2 }]);
  next.close();
});
