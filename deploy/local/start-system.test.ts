import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { filesOf } from './layout.ts';
import { findFreePortBase } from './ports.ts';
import { isSameProcess } from './process-identity.ts';
import { readRunFile } from './run-file.ts';
import { startSystem } from './start-system.ts';

// Two buses without services: what the launcher itself promises. Whole systems are in tests/end-to-end.
let stateDir: string;
let portBase: number;
const binDir = join(resolve(process.env['STATE_DIR'] || '.tocsin'), 'bin');
const Processes = z.array(
  z.object({ name: z.string(), pid: z.int().nullable(), state: z.string() }),
);

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'tocsin-system-'));
  portBase = await findFreePortBase(2);
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const buses = (say?: (line: string) => void) =>
  startSystem({
    sites: 2,
    portBase,
    stateDir,
    binDir,
    services: [],
    ...(say === undefined ? {} : { say }),
  });

test('the control server shows, kills and starts processes; closing leaves nothing behind', async () => {
  const system = await buses();
  const control = system.urls['control'] ?? '';
  const view = () => fetchJson(`${control}/processes`, { schema: Processes, timeoutMs: 2_000 });
  const pids = (await view()).map(({ pid }) => pid);
  expect((await view()).map(({ name, state }) => `${name} ${state}`)).toEqual([
    'nats-a running',
    'nats-b running',
  ]);
  expect(readRunFile(filesOf(stateDir).runFile)?.processes.map(({ pid }) => pid)).toEqual(pids);

  const post = (path: string, json: unknown) =>
    fetchJson(`${control}${path}`, { schema: z.unknown(), timeoutMs: 20_000, json });
  await post('/processes/nats-a/kill', { signal: 'SIGKILL', hold: true });
  for (const end = Date.now() + 5_000; (await view())[0]?.pid !== null && Date.now() < end; )
    await delay(30);
  expect((await view())[0]).toMatchObject({ state: 'held', pid: null });
  await expect(post('/processes/nats-a/restart', {})).rejects.toMatchObject({ status: 409 });
  await post('/processes/nats-a/start', {});
  expect((await view())[0]).toMatchObject({ state: 'running' });
  const pidBefore = (await view())[0]?.pid;
  const restarted = z.object({ pid: z.int() }).parse(await post('/processes/nats-a/restart', {}));
  expect(restarted.pid).not.toBe(pidBefore);
  expect((await view())[0]).toMatchObject({ state: 'running', pid: restarted.pid });

  await expect(post('/processes/nats-x/kill', {})).rejects.toMatchObject({ status: 404 });
  await expect(post('/processes/nats-a/kill', { signal: 'SIGFOO' })).rejects.toMatchObject({
    status: 400,
  });
  const plain = await fetchJson(`${control}/sites`, { schema: z.unknown(), timeoutMs: 2_000 });
  expect(plain).toEqual({ namespaces: false, sites: [] });
  await expect(post('/sites/a/cut', {})).rejects.toMatchObject({ status: 409 });
  const fromAPage = await fetch(`${control}/stop`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'text/plain' },
  });
  expect(fromAPage.status).toBe(415);

  await system.close();
  expect(readRunFile(filesOf(stateDir).runFile)).toBeUndefined();
  await expect(fetch(`${control}/processes`)).rejects.toThrow();
}, 30_000);

test('a taken port is named before anything starts, with the variable to change', async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(portBase + 12, '127.0.0.1', resolve));
  try {
    await expect(buses()).rejects.toThrow(
      new RegExp(`port ${portBase + 12} \\(dispatcher of site b\\) is taken[^]*PORT_BASE=`),
    );
  } finally {
    await new Promise((resolve) => squatter.close(resolve));
  }
});

test('a second launcher in the same folder is refused with the pid of the first; after kill -9 of the first it cleans up', async () => {
  const script = `
    import { startSystem } from ${JSON.stringify(resolve(import.meta.dirname, 'start-system.ts'))};
    await startSystem(${JSON.stringify({ sites: 2, portBase, stateDir, binDir, services: [] })});
    process.stdout.write('up');
    setInterval(() => {}, 1000);`;
  const first = execFile(process.execPath, ['--input-type=module', '-e', script]);
  try {
    await new Promise((resolve, reject) => {
      first.stdout?.once('data', resolve);
      first.once('exit', () => reject(new Error('the first launcher ended')));
    });
    await expect(buses()).rejects.toThrow(`already running: process ${first.pid}`);
  } finally {
    const ended = once(first, 'exit');
    first.kill('SIGKILL');
    await ended;
  }
  const left = readRunFile(filesOf(stateDir).runFile)?.processes ?? [];
  expect(left).toHaveLength(2);
  const system = await buses();
  expect(left.filter(isSameProcess)).toEqual([]);
  await system.close();
}, 40_000);

test('a second start goes on with the data and keys of the first', async () => {
  await (await buses()).close();
  const token = readFileSync(filesOf(stateDir).internalToken, 'utf8');
  const system = await buses();
  await system.close();
  expect(readFileSync(filesOf(stateDir).internalToken, 'utf8')).toBe(token);
}, 30_000);
