import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ManagedProcess, type ProcessSpec } from './managed-process.ts';
import { isSameProcess } from './process-identity.ts';
import { waitFor } from './wait-for.ts';

let folder: string;
let said: string[];
let started: ManagedProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-process-'));
  said = [];
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((process) => process.stop(500)));
  rmSync(folder, { recursive: true, force: true });
});

function startNode(script: string, env: Record<string, string> = {}): ManagedProcess {
  const spec: ProcessSpec = {
    name: 'dispatcher-a',
    kind: 'dispatcher',
    file: process.execPath,
    args: ['-e', script],
    env,
    cwd: folder,
    logFile: join(folder, 'logs/x.log'),
    url: 'http://127.0.0.1:1',
    startupUrl: 'http://127.0.0.1:1/startup',
    readyUrl: 'http://127.0.0.1:1/ready',
  };
  const child = new ManagedProcess(spec, {
    say: (line) => said.push(line),
    onChange: () => undefined,
  });
  started.push(child);
  child.start();
  return child;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 5_000; !condition(); await delay(20)) {
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
  }
}

test('a service that ends while it starts is an error with the end of its log', async () => {
  const child = startNode(
    "for (let i = 1; i <= 30; i++) console.log('line ' + i); process.exit(3)",
  );
  const error = await waitFor(child, child.spec.startupUrl, { timeoutMs: 10_000 }).catch(
    (thrown: unknown) => thrown,
  );
  expect(String(error)).toMatch(/^StartError: dispatcher-a ended with code 3\./);
  expect(String(error)).toContain('line 30');
  expect(String(error)).toContain('line 11');
  expect(String(error)).not.toContain('line 10\n');
});

test('a child that dies is started again after 5 s, and it is said', async () => {
  const child = startNode('setInterval(() => {}, 1000)');
  child.keepAlive();
  const before = Date.now();
  expect(child.kill('SIGKILL', false)).toBe(true);
  await until(() => child.state === 'waiting', 'it is seen to be dead');
  expect(said[0]).toMatch(/^dispatcher-a was ended by SIGKILL; starting it again in 5 s/);
  for (const end = Date.now() + 8_000; child.state !== 'running' && Date.now() < end; )
    await delay(50);
  expect(child.state).toBe('running');
  expect(Date.now() - before).toBeGreaterThanOrEqual(4_900);
});

test('a child that is started anew is another process at once, and is kept alive as before', async () => {
  const child = startNode('setInterval(() => {}, 1000)');
  child.keepAlive();
  const before = child.identity?.pid;
  await child.restart(2_000);
  expect(child.state).toBe('running');
  expect(child.identity?.pid).not.toBe(before);
  expect(said).toEqual([]);
  child.kill('SIGKILL', false);
  await until(() => child.state === 'waiting', 'it is seen to be dead');
});

test('a child that is being stopped is not started anew', async () => {
  const child = startNode('setInterval(() => {}, 1000)');
  await Promise.all([child.restart(2_000), child.stop(2_000)]);
  expect(child.identity).toBeUndefined();
  await child.restart(2_000);
  expect(child.identity).toBeUndefined();
});

test('a child that is held stays down until it is started', async () => {
  const child = startNode('setInterval(() => {}, 1000)');
  child.keepAlive();
  child.kill('SIGKILL', true);
  await until(() => said.length > 0, 'its end is said');
  expect(child.state).toBe('held');
  expect(child.identity).toBeUndefined();
  child.start();
  expect(child.state).toBe('running');
});

test('a child that ignores TERM is ended by force', async () => {
  const child = startNode(
    "process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)",
  );
  await until(() => child.tail(1)[0] === 'deaf', 'it runs');
  const { identity } = child;
  await child.stop(300);
  expect(said).toEqual(['dispatcher-a did not stop within 0.3 s: ended by force']);
  expect(identity !== undefined && isSameProcess(identity)).toBe(false);
});

test('a child inherits nothing but what it is given', async () => {
  const child = startNode(
    "process.stdout.write(JSON.stringify(Object.keys(process.env)) + '\\n')",
    { SITE: 'a' },
  );
  await child.ended();
  expect(JSON.parse(readFileSync(child.spec.logFile, 'utf8'))).toEqual(['SITE']);
});
