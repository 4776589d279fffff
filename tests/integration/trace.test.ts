import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { registerCrowd } from '../../deploy/demo/crowd.ts';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { waitForProofs } from '../../deploy/demo/proofs.ts';
import { runCli } from '../../deploy/demo/run-cli.ts';
import { until } from '../../deploy/demo/until.ts';
import { AcceptedAnswer } from '../../services/ingest/accept/accepted-answer.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { TraceAnswer, type TraceEvent } from '../../shared/trace/trace-answer.ts';
import { parseTraceparent } from '../../shared/trace/trace-context.ts';
import {
  exampleAlert,
  killHard,
  readSecret,
  revive,
  setFaults,
  startWholeSystem,
  untilCrowd,
  type WholeSystem,
} from '../support/whole-system.ts';

// A whole system of two sites; what an alert leaves behind in every part of it.
const DEVICES = 500;
const PREFECTURE = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const TRACEPARENT = `00-${PREFECTURE.traceId}-${PREFECTURE.spanId}-01`;
const quiet = () => undefined;

/** A collector that reads what it is sent and never answers: nothing of all this may wait for it. */
const exported: string[] = [];
const collector = createServer((request) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => exported.push(Buffer.concat(chunks).toString()));
});

let system: WholeSystem;
const logOf = (name: string) => join(system.stateDir, 'logs', `${name}.log`);

beforeAll(async () => {
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const exporting = { OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  system = await startWholeSystem({
    extraEnv: {
      ingest: exporting,
      dispatcher: exporting,
      edge: exporting,
      canary: { ...exporting, PERIOD_SECONDS: '8', LIMIT_SECONDS: '4' },
    },
  });
  await registerCrowd(system, DEVICES, quiet);
  await waitForProofs(system, quiet);
}, 120_000);
afterAll(async () => {
  await system?.close();
  system?.destroy();
  collector.closeAllConnections();
  collector.close();
}, 30_000);

async function raise(headers: Record<string, string> = {}) {
  const response = await fetch(`${urlOf(system, 'ingest-a')}/v1/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...withKey(), ...headers },
    body: JSON.stringify(exampleAlert('nice-alert')),
  });
  expect(response.status).toBe(202);
  const answer = AcceptedAnswer.parse(await response.json());
  return { answer, traceparent: parseTraceparent(response.headers.get('traceparent')) };
}

const withKey = () => ({
  authorization: `Bearer ${readSecret(system.stateDir, 'keys/pref06.key')}`,
});

const traceAt = (name: string, id: string) =>
  fetchJson(`${urlOf(system, name)}/v1/alerts/${id}/trace`, {
    schema: TraceAnswer,
    timeoutMs: 5_000,
    token: system.internalToken,
  });

const named = (events: readonly TraceEvent[], name: TraceEvent['name']) =>
  events.filter((event) => event.name === name);

function untilTrace(name: string, id: string, isSo: (events: TraceEvent[]) => boolean) {
  const wait = { timeoutMs: 30_000, everyMs: 100 };
  return until(`the timeline of ${name}`, wait, async () => {
    // Ingest answers when two have it: this one may not have it yet.
    const events = await traceAt(name, id).then(
      (answer) => answer.events,
      () => [],
    );
    return isSo(events) ? events : undefined;
  });
}

const LogLine = z.looseObject({ alertId: z.string().optional(), traceId: z.string().optional() });

/** The lines of a service's log that are about an alert. */
function linesAbout(name: string, id: string): z.infer<typeof LogLine>[] {
  return readFileSync(logOf(name), 'utf8')
    .split('\n')
    .filter((line) => line.includes(id) && line.startsWith('{'))
    .map((line) => LogLine.parse(JSON.parse(line)));
}

test('the trace of a prefecture’s request is in every service’s answer and in every log line about its alert', async () => {
  const { answer, traceparent } = await raise({ traceparent: TRACEPARENT });
  expect(traceparent).toMatchObject({ traceId: PREFECTURE.traceId, sampled: true });
  expect(traceparent?.spanId).not.toBe(PREFECTURE.spanId);
  await untilCrowd(system, answer.id, ({ inside }) => inside.received === inside.devices);

  const ingest = await traceAt('ingest-a', answer.id);
  expect(named(ingest.events, 'accepted')).toMatchObject([{ attributes: { result: 'two-sites' } }]);
  const lanes = await untilTrace(
    'ingest-a',
    answer.id,
    (events) => named(events, 'lane-acknowledged').length === 6,
  );
  expect(lanes.map(({ name }) => name)).toContain('written');

  for (const site of system.sites) {
    const name = `dispatcher-${site}`;
    const events = await untilTrace(
      name,
      answer.id,
      (each) => named(each, 'completed').length === 2,
    );
    const ways = named(events, 'arrived').map(({ attributes }) => attributes.lane);
    expect(new Set(ways)).toEqual(new Set(['bus', 'direct']));
    expect(named(events, 'last-accepted').length).toBeGreaterThan(0);
  }
  await untilTrace('edge-a', answer.id, (each) => named(each, 'device-receipt').length > 0);
  const edge = await traceAt('edge-a', answer.id);
  expect(named(edge.events, 'on-page')).toHaveLength(1);
  const receipts = named(edge.events, 'device-receipt');
  expect(receipts.map(({ attributes }) => attributes.trace)).not.toContain('none');
  expect(receipts.map(({ attributes }) => attributes.trace)).not.toContain('other');
  for (const site of system.sites)
    await untilTrace(`canary-${site}`, answer.id, (each) => named(each, 'witnessed').length >= 2);

  const all = ['ingest-a', 'dispatcher-a', 'dispatcher-b', 'edge-a', 'edge-b', 'canary-a'];
  for (const name of all) {
    const { traceId, alertId } = await traceAt(name, answer.id);
    expect({ name, traceId, alertId }).toEqual({
      name,
      traceId: PREFECTURE.traceId,
      alertId: answer.id,
    });
    const lines = linesAbout(name, answer.id);
    expect({ name, lines: lines.length > 0 }).toEqual({ name, lines: true });
    for (const line of lines)
      expect({ name, ...line }).toMatchObject({ alertId: answer.id, traceId: PREFECTURE.traceId });
  }
  const ofAuthor = await fetch(`${urlOf(system, 'ingest-a')}${answer.links.trace}`, {
    headers: withKey(),
  });
  expect(TraceAnswer.parse(await ofAuthor.json()).traceId).toBe(PREFECTURE.traceId);

  const printed = await runCli(system, ['trace', answer.id, '--lang', 'en']);
  expect(printed).toContain(`Trace ${PREFECTURE.traceId}`);
  expect(printed).toContain('accepted (202): two sites have it on disk');
  expect(printed).toContain('Do not know this message: ingest b');
  expect(printed).not.toContain('NO ANSWER');
  if (process.env['SHOW_TRACE']) process.stdout.write(printed);
}, 90_000);

test('every service exports its spans of that trace, and a collector that hangs held up nothing', async () => {
  const wanted = ['ingest', 'dispatcher', 'edge', 'canary'].map((kind) => `"tocsin-${kind}"`);
  await until('spans of all services', { timeoutMs: 30_000, everyMs: 200 }, async () => {
    const ours = exported.filter((body) => body.includes(PREFECTURE.traceId));
    return wanted.every((name) => ours.some((body) => body.includes(name))) ? true : undefined;
  });
  const byIngest = exported.filter((body) => body.includes('"name":"accept"')).join();
  expect(byIngest).toContain(`"parentSpanId":"${PREFECTURE.spanId}"`);
}, 40_000);

test('without a trace, or with a bad one, the alert’s own id is its trace', async () => {
  for (const headers of [{}, { traceparent: `${TRACEPARENT}-more` }]) {
    const { answer, traceparent } = await raise(headers);
    expect(traceparent?.traceId).toBe(answer.id);
    await untilCrowd(system, answer.id, ({ inside }) => inside.received === inside.devices);
    await untilTrace('dispatcher-b', answer.id, (events) => events.length > 0);
    expect((await traceAt('dispatcher-b', answer.id)).traceId).toBe(answer.id);
  }
}, 60_000);

test('kill -9 of a dispatcher in mid-alert stands in the timeline: who is missing, who noticed, and what it takes up again', async () => {
  await setFaults(system, { fcm: { messagesPerSecond: 8 }, webPush: { messagesPerSecond: 8 } });
  const { answer } = await raise({ traceparent: TRACEPARENT });
  await untilTrace('dispatcher-b', answer.id, (each) => named(each, 'first-accepted').length > 0);
  await killHard(system, 'dispatcher-b');
  const events = await untilTrace(
    'dispatcher-a',
    answer.id,
    (each) => named(each, 'peer-unanswering').length > 0,
  );
  expect(named(events, 'peer-unanswering')[0]?.attributes.node).toBe('b');
  const printed = await runCli(system, ['trace', answer.id, '--lang', 'en']);
  expect(printed).toContain('NO ANSWER: dispatcher b.');
  expect(printed).toContain('dispatcher b does not answer any more');
  if (process.env['SHOW_TRACE']) process.stdout.write(printed);

  await revive(system, 'dispatcher-b');
  const again = await untilTrace(
    'dispatcher-b',
    answer.id,
    (each) => named(each, 'taken-up-again').length > 0,
  );
  expect(named(again, 'arrived')[0]?.attributes.result).toBe('stored');
  expect((await traceAt('dispatcher-b', answer.id)).traceId).toBe(PREFECTURE.traceId);
  await setFaults(system, {});
  await untilCrowd(system, answer.id, ({ inside }) => inside.received === inside.devices);
  const after = await runCli(system, ['trace', answer.id, '--json']);
  const json = z.looseObject({ noAnswer: z.array(z.unknown()) }).parse(JSON.parse(after));
  expect(json.noAnswer).toEqual([]);
}, 90_000);
