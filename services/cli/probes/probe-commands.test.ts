import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createApp, finishApp } from '../../../shared/http/app.ts';
import { requireToken } from '../../../shared/http/bearer.ts';
import { listen } from '../../../shared/http/listen.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import { Health } from '../../../shared/lifecycle/health.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import { startCli } from '../start-cli.ts';

let folder: string;
let url: string;
let close: () => Promise<void>;
let removed: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-probes-'));
  removed = [];
  const log = createLogger('canary', 'test', 'silent');
  const app = createApp({
    log,
    health: new Health(),
    metrics: createMetricsRegistry('canary', 'test'),
  });
  app.use(requireToken('internal'));
  app.post('/v1/probe-codes', (_request, response) => {
    const expiresAt = '2026-11-22T10:14:00.000Z';
    response.status(201).json({ v: 1, code: 'K7QM-2XHP', expiresAt, page: '/probe#K7QM-2XHP' });
  });
  app.get('/v1/probe-devices', (_request, response) => {
    const device = { enrolledAt: '2026-11-22T10:00:00.000Z', label: 'Standard' };
    response.json({
      v: 1,
      limit: 5,
      devices: [
        { ...device, name: 'a-probe-1', state: 'proved', ageSeconds: 7 },
        { ...device, name: 'a-probe-2', state: 'not-measured', ageSeconds: null },
      ],
    });
  });
  app.delete('/v1/probe-devices/:name', (request, response) => {
    if (request.params.name !== 'a-probe-1')
      throw new ProblemError(403, 'unknown-probe', 'This device is not on the list of probes');
    removed.push(request.params.name);
    response.status(204).end();
  });
  finishApp(app, log);
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${listening.port}`;
  close = listening.close;
});

afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

async function tocsin(...args: string[]): Promise<{ exit: number; out: string }> {
  const node = (name: string, at: string) => ({ name, site: name, url: at });
  const config = join(folder, 'cli.json');
  writeFileSync(join(folder, 'token'), 'internal');
  writeFileSync(
    config,
    JSON.stringify({
      ingests: [node('a', 'http://127.0.0.1:1')],
      canaries: [node('a', url), node('b', 'http://127.0.0.1:1')],
      internalTokenFile: join(folder, 'token'),
    }),
  );
  let out = '';
  const say = (text: string) => {
    out += text;
  };
  const terminal = {
    out: say,
    err: say,
    isInteractive: false,
    columns: 80,
    ask: () => Promise.resolve(''),
  };
  const exit = await startCli(['--config', config, '--lang', 'en', ...args], {
    terminal,
    env: {},
    now: Date.now,
    sleep: () => Promise.resolve(),
  });
  return { exit, out };
}

test('a code is said with its end and with the address to open', async () => {
  const { exit, out } = await tocsin('probes', 'code');
  expect(exit).toBe(0);
  expect(out).toContain('Code: K7QM-2XHP   (good once, until 10:14 UTC)');
  expect(out).toContain(`${url}/probe#K7QM-2XHP`);
});

test('the list says how old each receipt is', async () => {
  const { out } = await tocsin('probes', 'list');
  expect(out).toBe(
    'Canary a: 2 devices of 5 at most\n  a-probe-1  Standard: proved, last receipt 7 s ago\n  a-probe-2  Standard: nothing received yet\n',
  );
});

test('a device is taken off the list; one that is not on it is refused; a silent canary is named', async () => {
  expect((await tocsin('probes', 'remove', 'a-probe-1')).exit).toBe(0);
  expect(removed).toEqual(['a-probe-1']);
  const unknown = await tocsin('probes', 'remove', 'a-probe-9');
  expect(unknown.exit).toBe(1);
  expect(unknown.out).toContain('not on the list');
  expect((await tocsin('probes', 'list', '--canary', 'b')).exit).toBe(3);
  expect((await tocsin('probes', 'list', '--canary', 'z')).exit).toBe(2);
});
