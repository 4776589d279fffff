import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ALERT_AREA, type CrowdReport, crowdReport } from '../../deploy/demo/crowd.ts';
import { broken } from '../../deploy/demo/figures.ts';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { waitForProofs } from '../../deploy/demo/proofs.ts';
import { runCli } from '../../deploy/demo/run-cli.ts';
import { runDemo } from '../../deploy/demo/run-demo.ts';
import { until } from '../../deploy/demo/until.ts';
import { findNatsServer } from '../../deploy/local/nats-server.ts';
import { AcceptedAnswer } from '../../services/ingest/accept/accepted-answer.ts';
import { notificationText } from '../../shared/device/notification-text.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { type FcmPhone, newFcmPhone } from '../support/fcm-phone.ts';
import {
  BIN_DIR,
  exampleAlert,
  killHard,
  readSecret,
  revive,
  setFaults,
  startWholeSystem,
  untilCrowd,
  untilReady,
  type WholeSystem,
} from '../support/whole-system.ts';

// One night on one system, in this order; each test leaves everything running and every path proved.
const DEVICES = 300;
const IN_AREA = DEVICES / 5;
/** Per provider: slow enough that a node can be killed half-way, fast enough for a test. */
const MESSAGES_PER_SECOND = 15;
const PERIOD_SECONDS = 8;
const NICE = resolve(import.meta.dirname, '../../deploy/examples/nice-alert.json');
const EXERCISE = resolve(import.meta.dirname, '../../deploy/examples/nice-exercise.json');

let system: WholeSystem;
let phone: FcmPhone;
let launcher: ChildProcess | undefined;
const quiet = () => undefined;

beforeAll(async () => {
  system = await startWholeSystem({
    extraEnv: { canary: { PERIOD_SECONDS: String(PERIOD_SECONDS), LIMIT_SECONDS: '4' } },
  });
}, 90_000);
afterAll(async () => {
  await phone?.switchOff();
  launcher?.kill('SIGKILL');
  await system?.close();
  system?.destroy();
}, 30_000);

function idIn(printed: string): string {
  return z.string().parse(/\b[0-9a-f]{32}\b/.exec(printed)?.[0]);
}

const everybodyHasIt = ({ inside }: CrowdReport) => inside.received === inside.devices;

/** POST to one ingest, as an integration of the prefecture would. */
function raise(ingest: string, example: string): Promise<AcceptedAnswer> {
  return fetchJson(`${urlOf(system, ingest)}/v1/alerts`, {
    schema: AcceptedAnswer,
    timeoutMs: 5_000,
    token: readSecret(system.stateDir, 'keys/pref06.key'),
    json: exampleAlert(example),
  });
}

// Seen to fail: with a ring that leaves the peers' shards to them without a receipt (ring.ts) the killed node's devices
// never get the alert (P2); without the device's memory of what it showed (decide.ts) four devices showed it twice (P4).
test('P1 P2 P3 P4 P7: kill -9 of a dispatcher half-way costs nobody the alert, nobody gets it twice or outside the area, and the Cancel takes it down everywhere', async () => {
  const figures = await runDemo(system, {
    devices: DEVICES,
    messagesPerSecond: MESSAGES_PER_SECOND,
    say: quiet,
  });
  expect(broken(figures)).toEqual([]);
  expect(figures).toMatchObject({
    devicesInArea: IN_AREA,
    accepted: IN_AREA,
    received: IN_AREA,
    shownTwice: 0,
    outsideArea: 0,
    cancelledOnDevices: IN_AREA,
    killedNode: 'b',
  });
  expect(figures.killedAtPercent).toBeGreaterThanOrEqual(50);
  expect(figures.killedAtPercent).toBeLessThan(100);
  expect(Object.keys(figures.perNode).sort()).toEqual(['a', 'b']);
  expect(figures.probes.received).toBeGreaterThan(0);
  await untilReady(system, 'dispatcher-b');
  await waitForProofs(system, quiet);
}, 120_000);

test('P1 P2: with the bus of both sites killed an alert is confirmed in two sites by the direct lane, and everybody gets it', async () => {
  await killHard(system, 'nats-a', 'nats-b');
  try {
    const answer = await raise('ingest-a', 'nice-alert');
    expect(answer.durability).toBe('two-sites');
    expect(answer.storedBy.map(({ site, lane }) => `${site} ${lane}`).sort()).toEqual([
      'a direct',
      'b direct',
    ]);
    const { inside, outside } = await untilCrowd(system, answer.id, everybodyHasIt);
    expect([inside.shownTwice, outside.received]).toEqual([0, 0]);
  } finally {
    await revive(system, 'nats-a', 'nats-b');
  }
  await waitForProofs(system, quiet);
}, 90_000);

test('P2: with one ingest killed the command line goes to the other by itself, and everybody gets the alert', async () => {
  await killHard(system, 'ingest-a');
  try {
    const id = idIn(await runCli(system, ['send', NICE, '--yes']));
    const { inside, outside } = await untilCrowd(system, id, everybodyHasIt);
    expect([inside.shownTwice, outside.received]).toEqual([0, 0]);
  } finally {
    await revive(system, 'ingest-a');
  }
}, 60_000);

const Paths = z.object({
  paths: z.array(
    z.object({
      path: z.object({ transport: z.enum(['fcm', 'web-push']) }),
      state: z.string(),
    }),
  ),
});

/** States of all paths of both canaries, by transport. */
async function pathStates(): Promise<Record<'fcm' | 'web-push', Set<string>>> {
  const states = { fcm: new Set<string>(), 'web-push': new Set<string>() };
  for (const site of system.sites) {
    const url = `${urlOf(system, `canary-${site}`)}/v1/paths`;
    const { paths } = await fetchJson(url, { schema: Paths, timeoutMs: 5_000 });
    for (const { path, state } of paths) states[path.transport].add(state);
  }
  return states;
}

test('P5: FCM that accepts everything and delivers nothing turns its paths unproved within two and a half periods; Web Push stays proved and carries an alert to everybody there', async () => {
  await waitForProofs(system, quiet);
  await setFaults(system, { fcm: { blackHole: true } });
  try {
    const limitMs = PERIOD_SECONDS * 2_500 + 5_000;
    await until('FCM is unproved', { timeoutMs: limitMs, everyMs: 200 }, async () => {
      const { fcm } = await pathStates();
      return [...fcm].join() === 'unproved' ? true : undefined;
    });
    expect([...(await pathStates())['web-push']]).toEqual(['proved']);

    const { id } = await raise('ingest-b', 'nice-alert');
    const webPush = (report: CrowdReport) =>
      report.areas.find(({ code }) => code === ALERT_AREA)?.perTransport['web-push'];
    const report = await untilCrowd(system, id, (each) => webPush(each)?.received === IN_AREA / 2);
    expect(report.inside.received).toBe(IN_AREA / 2);
    expect([report.inside.shownTwice, report.outside.received]).toEqual([0, 0]);
  } finally {
    await setFaults(system, {});
  }
  await waitForProofs(system, quiet);
}, 120_000);

/** `make run` as a person starts it; resolves when it says that everything is up. */
async function makeRun(): Promise<ChildProcess> {
  const nats = await findNatsServer({
    env: process.env,
    binDir: BIN_DIR,
    stateDir: system.stateDir,
    say: quiet,
  });
  const child = spawn(process.execPath, ['deploy/local/main.ts'], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: {
      ...process.env,
      SITES: '2',
      PORT_BASE: String(system.portBase),
      STATE_DIR: system.stateDir,
      NATS_SERVER: nats.path,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  await until('make run is up', { timeoutMs: 60_000, everyMs: 50 }, async () => {
    if (child.exitCode !== null) throw new Error(`make run ended:\n${printed}`);
    return printed.includes('everything is up') ? true : undefined;
  });
  return child;
}

test('P11: everything is stopped and a second make run goes on from the data of the first: the same devices get an Exercise, which says so, and Ctrl-C ends it cleanly', async () => {
  phone = await newFcmPhone(system, ALERT_AREA);
  const imported = await fetchJson(`${urlOf(system, 'edge-a')}/v1/subscriptions:import`, {
    schema: z.object({ imported: z.int() }),
    timeoutMs: 5_000,
    token: system.internalToken,
    json: [{ subscription: phone.subscription }],
  });
  expect(imported).toEqual({ imported: 1 });
  const old = (await crowdReport(system, '0'.repeat(32))).inside.devices;
  await system.close();

  launcher = await makeRun();
  await phone.switchOn();
  const id = idIn(await runCli(system, ['send', EXERCISE, '--yes']));
  const { inside, outside } = await untilCrowd(system, id, everybodyHasIt);
  expect([inside.devices, inside.shownTwice, outside.received]).toEqual([old, 0, 0]);
  const seen = await until('the phone has it', { timeoutMs: 10_000, everyMs: 20 }, async () =>
    phone.received.find(({ message }) => message?.id === id),
  );
  expect(seen.decision.action).toBe('shown');
  const { title, body } = notificationText(
    z.custom<NonNullable<typeof seen.message>>().parse(seen.message),
  );
  expect(title).toMatch(/^EXERCICE · /);
  expect(body).toMatch(/^EXERCICE /);

  const runFile = join(system.stateDir, 'run.json');
  const { processes } = z
    .object({ processes: z.array(z.object({ pid: z.int() })).min(11) })
    .parse(JSON.parse(readFileSync(runFile, 'utf8')));
  const ended = once(launcher, 'exit');
  launcher.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  expect(existsSync(runFile)).toBe(false);
  expect(processes.filter(({ pid }) => existsSync(`/proc/${pid}`))).toEqual([]);
}, 120_000);
