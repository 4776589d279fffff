import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readConfig as readCanary } from '../../services/canary/config.ts';
import { readConfig as readDispatcher } from '../../services/dispatcher/config.ts';
import { readEdgeConfig } from '../../services/edge/config.ts';
import { readIngestConfig } from '../../services/ingest/config.ts';
import { readConfig as readSandbox } from '../../services/sandbox/config.ts';

type Env = Readonly<Record<string, string | undefined>>;
const READERS: Readonly<Record<string, (env: Env) => unknown>> = {
  ingest: readIngestConfig,
  dispatcher: readDispatcher,
  edge: readEdgeConfig,
  canary: readCanary,
  sandbox: readSandbox,
};
/** Not read by a service: the launcher's and Node's own. */
const ELSEWHERE = ['NODE_EXTRA_CA_CERTS', 'PORT_BASE', 'STATE_DIR', 'SITES', 'NATS_SERVER'];

/** The variables that a service asks its environment for, seen by an environment that notes each question. */
function variablesOf(read: (env: Env) => unknown): Set<string> {
  const asked = new Set<string>();
  const note = (name: string | symbol) => {
    if (typeof name === 'string' && /^[A-Z][A-Z0-9_]+$/.test(name)) asked.add(name);
  };
  const env = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get: (_target, name) => {
        note(name);
        return undefined;
      },
      has: (_target, name) => {
        note(name);
        return false;
      },
    },
  );
  try {
    read(env);
  } catch {
    // Nothing is set, so of course it complains.
  }
  return asked;
}

interface Documented {
  readonly name: string;
  readonly section: string;
}

/** The variables in the first cells of the page's tables, with the heading they stand under. */
function documented(): Documented[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/interfaces.md'), 'utf8');
  let section = '';
  return page.split('\n').flatMap((line) => {
    section = /^## ([a-z]+)\b/.exec(line)?.[1] ?? (line.startsWith('## ') ? '' : section);
    const cell = /^\|((?: *`[A-Z][A-Z0-9_]+`,?)+) *\|/.exec(line)?.[1] ?? '';
    return [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => ({ name, section }));
  });
}

const services = Object.entries(READERS).map(([name, read]) => ({ name, read: variablesOf(read) }));

test('every variable that a service reads is in docs/interfaces.md, in the table of all or in its own', () => {
  const table = documented();
  expect(table.length).toBeGreaterThan(20);
  const missing = services.flatMap(({ name, read }) =>
    [...read]
      .filter(
        (variable) =>
          !table.some(
            (each) => each.name === variable && (each.section === name || each.section === ''),
          ),
      )
      .map((variable) => `${name}: ${variable}`),
  );
  expect(missing).toEqual([]);
});

test('docs/interfaces.md names no variable that nobody reads', () => {
  const unread = documented().filter(({ name, section }) => {
    if (ELSEWHERE.includes(name)) return false;
    const readers = section === '' ? services : services.filter((each) => each.name === section);
    return readers.length > 0 && !readers.some(({ read }) => read.has(name));
  });
  expect(unread).toEqual([]);
});
