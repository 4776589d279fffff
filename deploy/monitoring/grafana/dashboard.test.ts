import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { tocsinDashboard } from './dashboard.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const FILE = resolve(import.meta.dirname, 'tocsin.json');

test('the file that Grafana reads is what the code makes: node deploy/monitoring/grafana/main.ts', () => {
  expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(tocsinDashboard())),
  );
});

test('every metric on the dashboard is made by the code, a recording rule or the runtime', () => {
  const names = (...args: string[]) =>
    execFileSync('git', ['grep', '-hoE', ...args], { cwd: ROOT, encoding: 'utf8' }).split('\n');
  const made = new Set(
    names("'[a-z]+(_[a-z0-9]+)+'", '--', 'services', 'shared').map((s) => s.slice(1, -1)),
  );
  const recorded = names('record: [a-z0-9_:]+', '--', 'deploy/monitoring/rules').map((s) =>
    s.replace('record: ', ''),
  );
  const expressions = JSON.stringify(tocsinDashboard()).match(/"expr":"(?:[^"\\]|\\.)*"/g) ?? [];
  expect(expressions.length).toBeGreaterThan(15);
  // What is really exported, labels included, is compared on a running system: tests/monitoring.
  const used = new Set(
    expressions.flatMap((expr) =>
      [
        ...expr.matchAll(/\w+:[\w:]+|\b(?:canary|credential|ingest|dispatcher|edge|tocsin)_\w+/g),
      ].map(([name]) => name.replace(/_(?:bucket|count)$/, '')),
    ),
  );
  const unknown = [...used].filter((name) => !made.has(name) && !recorded.includes(name));
  expect(unknown).toEqual([]);
});

test('no panel shows a word such as OK: only ages, rates and counts', () => {
  expect(JSON.stringify(tocsinDashboard())).not.toMatch(/"(?:OK|Healthy|Green|UP)"/i);
});
