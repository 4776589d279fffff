import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { type RunningSystem, urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { startCli } from '../../services/cli/start-cli.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { DrillRecord, DrillsAnswer, ProbesAnswer } from '../../shared/receipt/drill.ts';
import { sleep } from '../../shared/time/sleep.ts';
import {
  exampleAlert,
  killHard,
  readSecret,
  revive,
  startWholeSystem,
  type WholeSystem,
} from '../support/whole-system.ts';

/** Rounds come six times as often as usual, so that age limits and the test are six times as short. */
const PERIOD_SECONDS = '10';
const PEOPLE = 300;

let system: WholeSystem;

beforeAll(async () => {
  system = await startWholeSystem({
    extraEnv: { canary: { PERIOD_SECONDS, LIMIT_SECONDS: '5', STORED_PROBE_SECONDS: '0' } },
  });
  await registerPeople();
  await untilProved(system);
}, 180_000);

afterAll(async () => {
  await system?.close();
  system?.destroy();
}, 60_000);

/** In Marseille, whom the alert to Nice at the end does not reach. */
async function registerPeople(): Promise<void> {
  const people = Array.from({ length: PEOPLE }, (_, i) => ({
    probe: false,
    subscription: {
      deviceId: `drill-person-${String(i).padStart(9, '0')}`,
      address: { transport: 'fcm', token: `token-of-drill-person-${i}-${'x'.repeat(20)}` },
      areaCodes: ['13055'],
      language: 'fr-FR',
      appVersion: 'test',
    },
  }));
  await fetchJson(`${urlOf(system, 'edge-a')}/v1/subscriptions:import`, {
    schema: z.object({ imported: z.literal(PEOPLE) }),
    timeoutMs: 10_000,
    token: system.internalToken,
    json: people,
  });
}

const PathsAnswer = z.object({
  paths: z.array(z.object({ name: z.string(), state: z.string() })),
  summary: z.object({ provedPaths: z.number(), totalPaths: z.number() }),
});
const canaries = (of: RunningSystem) => of.sites.map((site) => urlOf(of, `canary-${site}`));

function untilProved(of: RunningSystem): Promise<true> {
  return until(
    'every path proved by every canary',
    { timeoutMs: 120_000, everyMs: 250 },
    async () => {
      const answers = await Promise.all(
        canaries(of).map((url) =>
          fetchJson(`${url}/v1/paths`, { schema: PathsAnswer, timeoutMs: 2_000 }).catch(
            () => undefined,
          ),
        ),
      );
      return answers.every(
        (each) => each !== undefined && each.summary.provedPaths === each.summary.totalPaths,
      )
        ? true
        : undefined;
    },
  );
}

const ReadyAnswer = z.object({ unready: z.array(z.string()) });
const Result = z.object({ v: z.literal(1), record: DrillRecord, kept: z.int(), canaries: z.int() });

async function drill(...args: string[]) {
  const said = { out: '', err: '' };
  const code = await startCli(
    ['drill', ...args, '--config', join(system.stateDir, 'cli.json'), '--lang', 'en'],
    {
      env: { USER: 'marie' },
      now: Date.now,
      sleep,
      terminal: {
        out: (text) => {
          said.out += text;
        },
        err: (text) => {
          said.err += text;
        },
        isInteractive: false,
        columns: 100,
        ask: () => Promise.resolve(''),
      },
    },
  );
  const result = said.out.startsWith('{') ? Result.parse(JSON.parse(said.out)) : undefined;
  return { code, result, ...said };
}

const drillsOf = async (url: string) =>
  (await fetchJson(`${url}/v1/drills`, { schema: DrillsAnswer, timeoutMs: 2_000 })).drills;
const probesOf = async (url: string) =>
  (
    await fetchJson(`${url}/v1/probes`, {
      schema: ProbesAnswer,
      timeoutMs: 2_000,
      token: system.internalToken,
    })
  ).probes;
const metricOf = async (url: string, series: string) => {
  const line = (await (await fetch(`${url}/metrics`)).text())
    .split('\n')
    .find((each) => each.startsWith(series));
  return Number(line?.split(' ').at(-1));
};

test('a correction reaches every probe within 30 s, and nobody of the public hears of it', async () => {
  const { code, result, err } = await drill('correction', '--json');
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(result).toMatchObject({
    record: { kind: 'correction', ok: true, by: 'marie' },
    kept: 2,
    canaries: 2,
  });
  expect(result?.record.measures.toCorrectionSeconds).toBeLessThanOrEqual(30);
  expect(result?.record.note).toContain('cancelled on 8 of 8 paths');
  // On no public page, no last real alert, and not among what probes refused.
  for (const site of system.sites) {
    const recent = await (await fetch(`${urlOf(system, `edge-${site}`)}/v1/alerts/recent`)).json();
    expect(recent).toMatchObject({ alerts: [] });
    const canary = urlOf(system, `canary-${site}`);
    expect(await metricOf(canary, 'canary_refused_total{reason="unknown-nonce"')).toBe(0);
    expect(await metricOf(canary, 'canary_witnesses_total{probe=')).toBe(0);
  }
}, 120_000);

test('a copy of the registry is restored on the side, counted against the dispatchers, and deleted', async () => {
  const { code, result, err } = await drill('restore', '--json');
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(result).toMatchObject({ record: { kind: 'restore', ok: true }, kept: 2 });
  const [, devices] = /^(\d+) devices and 0 removed ones/.exec(result?.record.note ?? '') ?? [];
  expect(Number(devices)).toBeGreaterThanOrEqual(PEOPLE + 4);
  expect(err).toContain('Copy deleted.');
}, 120_000);

test('deaf probes are seen and paged about, and everything is proved again when they hear', async () => {
  const { code, result, err } = await drill('dead-receiver', '--yes', '--json');
  expect({ code, err }).toMatchObject({ code: 0 });
  const { measures, note } = result?.record ?? {};
  expect(measures?.toPageSeconds).toBeGreaterThan(5);
  expect(measures?.toPageSeconds).toBeLessThanOrEqual(130);
  expect(measures?.toRecoverySeconds).toBeGreaterThan(0);
  expect(note).toContain('Alertmanager was not asked');
  for (const url of canaries(system))
    for (const probe of await probesOf(url))
      expect(probe).toMatchObject({ connected: true, deafUntil: null });
}, 240_000);

test('a deaf probe hears again by itself, whoever made it deaf and never came back', async () => {
  const [url = ''] = canaries(system);
  const before = await probesOf(url);
  const probe = before.find(({ transport }) => transport === 'fcm');
  await fetchJson(`${url}/v1/probes/${probe?.name}`, {
    schema: z.unknown(),
    timeoutMs: 5_000,
    token: system.internalToken,
    json: { deafForSeconds: 4 },
  });
  const deaf = (await probesOf(url)).find(({ name }) => name === probe?.name);
  expect(deaf).toMatchObject({ connected: false });
  expect(deaf?.deafUntil).not.toBeNull();
  await until('it hears again', { timeoutMs: 15_000, everyMs: 100 }, async () => {
    const now = (await probesOf(url)).find(({ name }) => name === probe?.name);
    return now?.connected && now.deafUntil === null ? true : undefined;
  });
  // The same device at the same address: nobody had to register anew.
  expect(await probesOf(url)).toEqual(before);
  const refused = await fetch(`${url}/v1/probes/${probe?.name}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${system.internalToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ deafForSeconds: 601 }),
  });
  expect(refused.status).toBe(400);
}, 60_000);

test('a restarted dispatcher is ready only when its own canary came back, and its paths are proved again', async () => {
  await untilProved(system);
  const unready: string[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const answer = await fetch(`${urlOf(system, 'dispatcher-b')}/ready`).catch(() => undefined);
      const said = ReadyAnswer.safeParse(await answer?.json().catch(() => undefined));
      if (said.success) unready.push(...said.data.unready);
      await sleep(10);
    }
  })();
  const { code, result, err } = await drill('restart', '--node', 'b', '--yes', '--json');
  isOver = true;
  await watching;
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(result).toMatchObject({ record: { kind: 'restart', ok: true }, kept: 2 });
  expect(result?.record.measures.toRecoverySeconds).toBeLessThanOrEqual(120);
  expect(result?.record.note).toMatch(/dispatcher b restarted; answers after .* ready after/);
  expect(unready).toContain('own canary');
}, 240_000);

test('a canary that was away gets what it missed with the next drill, and keeps it over kill -9', async () => {
  await untilProved(system);
  const [a = '', b = ''] = canaries(system);
  const record: DrillRecord = {
    v: 1,
    kind: 'restore',
    startedAt: new Date(Date.now() - 5_000).toISOString(),
    endedAt: new Date(Date.now() - 4_000).toISOString(),
    ok: false,
    measures: {},
    by: 'somebody else',
  };
  await fetchJson(`${a}/v1/drills`, {
    schema: z.undefined(),
    timeoutMs: 2_000,
    token: system.internalToken,
    json: record,
  });
  expect(await metricOf(a, 'canary_drill_last_ok{kind="restore"')).toBe(0);
  expect(await drillsOf(b)).not.toContainEqual(record);
  expect((await drill('correction')).code).toBe(0);
  expect(await drillsOf(b)).toContainEqual(record);

  const before = await drillsOf(b);
  expect(new Set(before.map(({ kind }) => kind)).size).toBe(4);
  await killHard(system, 'canary-b');
  await revive(system, 'canary-b');
  expect(await drillsOf(b)).toEqual(before);
  const success = before.find(({ kind, ok }) => kind === 'restore' && ok);
  expect(
    await metricOf(b, 'canary_drill_last_success_timestamp_seconds{kind="restore"'),
  ).toBeCloseTo(Date.parse(success?.endedAt ?? '') / 1000, 2);
}, 180_000);

test('no drill begins unasked, on a system that is not all proved, or while an alert is under way', async () => {
  await untilProved(system);
  const unasked = await drill('restart');
  expect(unasked.code).toBe(2);
  expect(unasked.err).toContain('Nothing was done');

  await killHard(system, 'canary-b');
  const unproved = await drill('correction');
  expect(unproved.code).toBe(3);
  expect(unproved.err).toContain('Canaries that do not answer: b');
  await revive(system, 'canary-b');
  await untilProved(system);

  await fetchJson(`${urlOf(system, 'ingest-a')}/v1/alerts`, {
    schema: z.unknown(),
    timeoutMs: 5_000,
    token: readSecret(system.stateDir, 'keys/pref06.key'),
    json: exampleAlert('nice-alert'),
  });
  const during = await until(
    'the alert is on the page',
    { timeoutMs: 20_000, everyMs: 200 },
    async () => {
      const tried = await drill('restore');
      return tried.code === 1 ? tried : undefined;
    },
  );
  expect(during.err).toContain('An alert is under way');
  expect((await drill('dead-receiver', '--yes')).code).toBe(1);
}, 240_000);
