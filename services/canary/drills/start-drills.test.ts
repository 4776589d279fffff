import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Received } from '../../../shared/device/receive.ts';
import { createApp, finishApp } from '../../../shared/http/app.ts';
import { type Listening, listen } from '../../../shared/http/listen.ts';
import { Health } from '../../../shared/lifecycle/health.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import type { Probe } from '../probes/probe.ts';
import { type Drills, startDrills } from './start-drills.ts';

const NOW = Date.parse('2026-07-14T20:00:00Z');
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
const RECORD = {
  v: 1,
  kind: 'correction',
  startedAt: at(-20),
  endedAt: at(-10),
  ok: true,
  measures: { toCorrectionSeconds: 1.2 },
  by: 'marie',
};

let folder: string;
let drills: Drills;
let http: Listening;
let probe: Probe;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-drills-'));
  const log = createLogger('canary', 'a', 'silent');
  const registry = createMetricsRegistry('canary', 'a');
  const options = { canary: 'a', dataDir: folder, internalToken: 'internal' };
  drills = startDrills(options, { registry, log, wallNow: () => NOW });
  let isOpen = true;
  const inner: Probe = {
    name: 'a-fcm',
    transport: 'fcm',
    deviceId: 'd'.repeat(22),
    subscription: () => undefined,
    connected: () => isOpen,
    renew: () => undefined,
    close: async () => {
      isOpen = false;
    },
  };
  const start = () => {
    isOpen = true;
    return inner;
  };
  probe = drills.probe(start, {
    onPayload: async () => undefined,
    onUndecryptable: () => undefined,
    onSubscription: () => undefined,
  });
  const app = createApp({ log, health: new Health(), metrics: registry });
  drills.addRoutes(app);
  finishApp(app, log);
  http = await listen(app, { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  await probe.close();
  await http.close();
  rmSync(folder, { recursive: true });
});

async function call(path: string, body?: unknown, token = 'internal') {
  const answer = await fetch(`http://127.0.0.1:${http.port}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const parsed = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status: answer.status, body: parsed, text };
}

test('a record is kept once and shown to anybody; the rest is for who has the internal token', async () => {
  for (let i = 0; i < 2; i++) expect((await call('/v1/drills', RECORD)).status).toBe(204);
  expect((await call('/v1/drills', undefined, 'nobody')).body).toEqual({ v: 1, drills: [RECORD] });
  expect((await call('/metrics')).text).toContain(
    `canary_drill_last_success_timestamp_seconds{kind="correction",service="canary",node="a"} ${(NOW - 10_000) / 1000}`,
  );
  const refused = [
    await call('/v1/drills', { ...RECORD, by: 'x' }, 'wrong'),
    await call('/v1/probes', undefined, 'wrong'),
    await call('/v1/probes/a-fcm', { deafForSeconds: 1 }, 'wrong'),
  ];
  expect(refused.map(({ status }) => status)).toEqual([401, 401, 401]);
  expect(drills.records()).toHaveLength(1);
  expect(probe.connected()).toBe(true);
});

test.each([
  ['ends in the future', { endedAt: at(3_600) }, 422],
  ['ends before it began', { startedAt: at(-5) }, 422],
  ['has a measure that no drill has', { measures: { toCoffeeSeconds: 4 } }, 400],
  ['is of a kind that there is not', { kind: 'earthquake' }, 400],
  ['says nobody', { by: '' }, 400],
])('a record that %s is refused: it would keep an alarm quiet', async (_what, changes, status) => {
  expect((await call('/v1/drills', { ...RECORD, ...changes })).status).toBe(status);
  expect(drills.records()).toEqual([]);
});

test('a probe is made deaf for ten minutes at most, and told to hear again', async () => {
  const view = { name: 'a-fcm', transport: 'fcm', deviceId: 'd'.repeat(22) };
  expect((await call('/v1/probes')).body).toEqual({
    v: 1,
    canary: 'a',
    probes: [{ ...view, connected: true, deafUntil: null }],
  });
  expect((await call('/v1/probes/a-fcm', { deafForSeconds: 600 })).body).toEqual({
    ...view,
    connected: false,
    deafUntil: at(600),
  });
  expect((await call('/metrics')).text).toMatch(/canary_probe_deaf\{probe="a-fcm",[^}]*\} 1/);
  expect((await call('/v1/probes/a-fcm', { deafForSeconds: 0 })).body).toMatchObject({
    connected: true,
    deafUntil: null,
  });
  for (const deafForSeconds of [601, -1, 1.5, '60'])
    expect((await call('/v1/probes/a-fcm', { deafForSeconds })).status).toBe(400);
  const unknown = await call('/v1/probes/z', { deafForSeconds: 1 });
  expect(unknown).toMatchObject({ status: 404, body: { detail: 'It has: a-fcm' } });
});

const received = (
  nonce: string | undefined,
  action: 'taken-down' | 'ignored',
  via = 'b',
): Received => ({
  decision: action === 'ignored' ? { action, reason: 'seen' } : { action, tags: [] },
  message: {
    v: 1,
    id: 'a'.repeat(32),
    audience: 'canary',
    status: 'Test',
    msgType: 'Cancel',
    sent: '2026-07-14T20:00:00+00:00',
    expires: '2026-07-14T20:01:00+00:00',
    references: [],
    level: 'info',
    severity: 'Unknown',
    language: 'fr-FR',
    senderName: 'Tocsin',
    event: 'Essai technique',
    headline: 'ESSAI',
    description: 'x',
    areaDesc: 'x',
    contentHash: 'x',
    nonce,
  } as Received['message'] & object,
  via,
});

test('a drill’s message is witnessed once by each probe and is nobody’s round; a round is no drill’s message', () => {
  expect(drills.heard(probe, received('round-nonce', 'taken-down'))).toBe(false);
  expect(drills.heard(probe, received(undefined, 'taken-down'))).toBe(false);
  expect(drills.heard(probe, received('drill-0011', 'ignored'))).toBe(true);
  expect(drills.witnessesOf('a'.repeat(32))).toEqual([]);
  for (let i = 0; i < 2; i++)
    expect(drills.heard(probe, received('drill-0011', 'taken-down'))).toBe(true);
  expect(drills.witnessesOf('a'.repeat(32))).toEqual([
    { alertId: 'a'.repeat(32), probe: 'a-fcm', transport: 'fcm', via: 'b', receivedAt: at(0) },
  ]);
});
