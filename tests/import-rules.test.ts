import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { importsOf, violationsOf } from './support/import-rules.ts';

test('every way to import is seen: static, bare, re-export, type, dynamic, over several lines', () => {
  const source = `
import 'a';
import b from 'b';
import { c, type C2 } from "c";
import * as d from 'd';
import type { E } from 'e';
export { f } from 'f';
export type { G } from 'g';
import {
  h,
  h2,
} from 'h';
const i = await import('i');
let j: import('j').J;
// import { k } from 'k';
/* import { l } from 'l'; */
const text = 'we import from nowhere';
`;
  expect(
    importsOf(source)
      .map(({ specifier }) => specifier)
      .sort(),
  ).toEqual([...'abcdefghij']);
  expect(
    importsOf(source)
      .filter(({ typeOnly }) => typeOnly)
      .map(({ specifier }) => specifier),
  ).toEqual(['e', 'g']);
});

test.each([
  ['services/edge/x.ts', "import { a } from '../ingest/a.ts';", 'services never import each other'],
  [
    'services/edge/x.ts',
    "import type { A } from '../ingest/a.ts';",
    'services never import each other',
  ],
  [
    'services/edge/x.ts',
    "const a = await import('../ingest/a.ts');",
    'services never import each other',
  ],
  [
    'services/edge/deep/x.test.ts',
    "import { a } from '../../ingest/a.ts';",
    'services never import each other',
  ],
  ['services/edge/x.ts', "import { a } from '../../tests/support/a.ts';", 'imports tests'],
  ['services/edge/x.ts', "import { a } from '../../deploy/local/a.ts';", 'does not import deploy'],
  [
    'deploy/local/x.ts',
    "import { a } from '../../services/edge/a.ts';",
    'does not import services',
  ],
  ['shared/http/x.ts', "import { a } from '../../services/edge/a.ts';", 'does not import services'],
  ['shared/alert/x.ts', "import { a } from '../time/a.ts';", 'zod and itself only'],
  ['shared/alert/x.ts', "import type { A } from '../envelope/a.ts';", 'zod and itself only'],
  ['shared/alert/x.ts', "import { createHash } from 'node:crypto';", 'zod and itself only'],
  ['services/ingest/x.ts', "import admin from 'firebase-admin/app';", 'not at home'],
  ['services/edge/x.ts', "import webPush from 'web-push';", 'not at home'],
  ['services/dispatcher/x.ts', "import { connect } from '@nats-io/transport-node';", 'not at home'],
  ['shared/bus/x.ts', "import express from 'express';", 'not at home'],
  ['services/edge/x.ts', "import { Counter } from 'prom-client';", 'not at home'],
  ['services/edge/x.ts', "import { jwtVerify } from 'jose';", 'not at home'],
  ['services/edge/x.ts', "import { WebSocket } from 'ws';", 'not at home'],
  ['shared/http/x.ts', "import { pino } from 'pino';", 'not at home'],
  ['services/edge/index.ts', '', 'no barrels'],
  ['services/edge/utils/x.ts', '', 'folder named utils'],
  ['shared/types/x.ts', '', 'folder named types'],
  [
    'services/edge/main.ts',
    "import { a } from './routes/a.ts';",
    'main.ts only reads, starts and waits',
  ],
  [
    'services/edge/main.ts',
    "import { readFileSync } from 'node:fs';",
    'main.ts only reads, starts and waits',
  ],
  ['services/dispatcher/ring.ts', "import { readFileSync } from 'node:fs';", 'no package but zod'],
  [
    'services/dispatcher/transports/fcm/fcm-outcome.ts',
    "import { x } from 'jose';",
    'no package but zod',
  ],
  [
    'services/canary/judge.ts',
    "import { systemClock } from '../../shared/time/clock.ts';",
    'no clock',
  ],
  [
    'shared/device/decide.ts',
    "import { createLogger } from '../log/logger.ts';",
    'no clock, logger',
  ],
])('planted: %s with %s is caught', (file, source, message) => {
  expect(violationsOf(file, source)).toEqual([{ file, message: expect.stringContaining(message) }]);
});

test.each([
  [
    'services/edge/x.ts',
    "import { a } from './a.ts';\nimport { b } from '../../shared/time/b.ts';",
  ],
  ['services/edge/x.ts', "import { a } from '#shared/alert/alert.ts';"],
  ['services/edge/x.test.ts', "import { a } from '../../tests/support/a.ts';"],
  [
    'tests/x.test.ts',
    "import { a } from '../services/edge/a.ts';\nimport { b } from '../deploy/b.ts';",
  ],
  ['shared/alert/x.ts', "import { z } from 'zod';\nimport { a } from './a.ts';"],
  ['services/edge/metrics.ts', "import { Counter } from 'prom-client';"],
  [
    'services/edge/main.ts',
    "import { parseConfig } from './config.ts';\nimport { startEdge } from './start-edge.ts';\nimport { runService } from '../../shared/lifecycle/run.ts';",
  ],
  ['services/dispatcher/ring.ts', "import type { Clock } from '../../shared/time/clock.ts';"],
])('allowed: %s', (file, source) => {
  expect(violationsOf(file, source)).toEqual([]);
});

const FILES = globSync('{services,shared,deploy,tests}/**/*.ts')
  .filter((file) => !file.includes('node_modules'))
  .sort();

test('the sources are found', () => {
  expect(FILES.length).toBeGreaterThan(60);
});

test('no source breaks the import rules', () => {
  const violations = FILES.flatMap((file) => violationsOf(file, readFileSync(file, 'utf8')));
  expect(violations).toEqual([]);
});
