import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { AcceptedAnswer } from '../../services/ingest/accept/accepted-answer.ts';
import { AlertProgress } from '../../services/ingest/progress/alert-progress.ts';
import { startIngest } from '../../services/ingest/start-ingest.ts';
import type { Alert } from '../../shared/alert/alert.ts';
import { openEnvelope } from '../../shared/envelope/open-envelope.ts';
import { createVerifier } from '../../shared/envelope/signature.ts';
import { Problem } from '../../shared/http/problem.ts';
import { CleanupStack } from '../../shared/lifecycle/cleanup-stack.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { makeApiKeys, makeKeys, niceAlert, PREFECTURE_KEY } from '../support/ingest-fixtures.ts';
import { startNats, type TestNats } from '../support/nats-server.ts';
import {
  alertOf,
  type StandInDispatcher,
  startStandInDispatcher,
} from '../support/stand-in-dispatcher.ts';

jest.setTimeout(40_000);

const TOKEN = 'internal-token';
const keys = makeKeys();
const verifyEnvelope = createVerifier(keys.trustedKeys, 'envelope');

interface TestSite {
  readonly name: string;
  readonly nats: TestNats;
  readonly dispatcher: StandInDispatcher;
}

let cleanup: CleanupStack;
let sites: [TestSite, TestSite];
let folder: string;

beforeEach(async () => {
  cleanup = new CleanupStack(10_000);
  folder = mkdtempSync(join(tmpdir(), 'ingest-'));
  cleanup.add('folder', () => rmSync(folder, { recursive: true }));
  sites = [await startSite('a'), await startSite('b')];
});
afterEach(() => cleanup.close());

async function startSite(name: string): Promise<TestSite> {
  const nats = await startNats({ users: true });
  cleanup.add(`nats ${name}`, () => nats.close());
  const dispatcher = await startStandInDispatcher(name, TOKEN);
  cleanup.add(`dispatcher ${name}`, () => dispatcher.stop());
  return { name, nats, dispatcher };
}

/** A whole ingest over both sites, ready when its buses are. */
async function start(options: { node?: string; buses?: number } = {}) {
  const { node = 'a', buses = 2 } = options;
  const ingest = await startIngest(
    {
      host: '127.0.0.1',
      port: 0,
      site: node,
      node,
      dataDir: join(folder, node),
      natsSites: sites.map(({ name, nats }) => ({
        site: name,
        url: nats.url,
        monitorUrl: nats.monitorUrl,
        user: 'ingest',
        passwordFile: nats.passwordFiles.ingest,
        replicas: 1 as const,
      })),
      ingests: [
        { name: 'a', site: 'a', url: 'http://ingest-a.example' },
        { name: 'b', site: 'b', url: 'http://ingest-b.example' },
      ],
      dispatchers: sites.map(({ name, dispatcher }) => ({ name, site: name, url: dispatcher.url })),
      canaries: [],
      edges: [],
      development: false,
      internalToken: TOKEN,
      apiKeys: makeApiKeys(),
      ...keys,
    },
    createLogger('ingest', node, 'silent'),
  );
  cleanup.add('ingest', () => ingest.close());
  const base = `http://127.0.0.1:${ingest.port}`;
  await until(async () => {
    const metrics = await (await fetch(`${base}/metrics`)).text();
    return [...metrics.matchAll(/^ingest_bus_ready\{.*\} 1$/gm)].length === buses;
  });
  return { base, close: ingest.close };
}

async function until(condition: () => Promise<boolean> | boolean, limitMs = 15_000): Promise<void> {
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(50))
    if (await condition()) return;
  throw new Error('it did not come about in time');
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const startedMs = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${PREFECTURE_KEY}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const json: unknown = await response.json();
  return {
    status: response.status,
    headers: response.headers,
    json,
    tookMs: performance.now() - startedMs,
  };
}

const send = (base: string, alert: Alert, headers?: Record<string, string>) =>
  post(`${base}/v1/alerts`, alert, headers);

/** What a site's ALERTS stream holds. */
async function onBus({ nats }: TestSite): Promise<string[]> {
  const connection = await connect({
    servers: nats.url,
    user: 'dispatcher',
    pass: nats.passwords.dispatcher,
  });
  try {
    const manager = await jetstreamManager(connection);
    const { state } = await manager.streams.info('ALERTS', { subjects_filter: '>' });
    const messages = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage('ALERTS', { seq });
      if (message) messages.push(message.string());
    }
    return messages;
  } finally {
    await connection.close();
  }
}

test('P1: a 202 means that two sites have it, and every lane of every site gets the same signed envelope', async () => {
  const { base } = await start();
  const answer = await send(base, niceAlert(Date.now()));
  const body = AcceptedAnswer.parse(answer.json);
  expect(answer.status).toBe(202);
  expect(body.durability).toBe('two-sites');
  expect(new Set(body.storedBy.map(({ site }) => site)).size).toBe(2);
  await until(() => sites.every(({ dispatcher }) => dispatcher.stored.has(body.id)));
  const copies = [...sites.flatMap(({ dispatcher }) => [...dispatcher.stored.values()])];
  for (const site of sites) copies.push(...(await onBus(site)));
  expect(copies).toHaveLength(4);
  expect(new Set(copies).size).toBe(1);
  const envelope = await openEnvelope(copies[0] ?? '', verifyEnvelope);
  expect(envelope).toMatchObject({
    id: body.id,
    audience: 'public',
    shards: 16,
    areaCodes: ['06088'],
  });
});

test('P1: with a whole site dead the answer says one-site in plain words, and pages', async () => {
  const { base } = await start();
  await sites[1].nats.kill('SIGKILL');
  await sites[1].dispatcher.stop();
  const answer = await send(base, niceAlert(Date.now()));
  expect(answer.status).toBe(202);
  expect(answer.json).toMatchObject({
    durability: 'one-site',
    warning: { fr: expect.any(String), en: expect.any(String) },
  });
  expect(answer.tookMs).toBeLessThan(2_000);
  expect(await (await fetch(`${base}/metrics`)).text()).toMatch(
    /^ingest_one_site_acceptances_total\{.*\} 1$/m,
  );
});

test('P2: with all of the bus dead the direct lane alone makes two sites', async () => {
  const { base } = await start();
  for (const { nats } of sites) await nats.kill('SIGKILL');
  const answer = await send(base, niceAlert(Date.now()));
  expect(answer.json).toMatchObject({ durability: 'two-sites' });
  expect(answer.tookMs).toBeLessThan(1_000);
});

test('P1: with every dispatcher dead the bus lane alone makes two sites', async () => {
  const { base } = await start();
  for (const { dispatcher } of sites) await dispatcher.stop();
  const answer = await send(base, niceAlert(Date.now()));
  expect(answer.json).toMatchObject({ durability: 'two-sites', audience: null });
  const [jws] = await onBus(sites[0]);
  expect((await openEnvelope(jws ?? '', verifyEnvelope)).shards).toBe(128);
});

test('P1: with everything dead a clear 503 comes within 2 s, and nothing goes out later behind its author’s back', async () => {
  const { base } = await start();
  for (const { nats, dispatcher } of sites) {
    await nats.kill('SIGKILL');
    await dispatcher.stop();
  }
  const alert = niceAlert(Date.now());
  const answer = await send(base, alert);
  expect(answer.status).toBe(503);
  expect(answer.tookMs).toBeLessThan(2_000);
  expect(answer.headers.get('retry-after')).toBe('1');
  const problem = Problem.parse(answer.json);
  expect(problem.type).toMatch(/\/not-stored$/);
  expect(problem.action).toContain('http://ingest-b.example');
  for (const { dispatcher } of sites) await dispatcher.start();
  // Longer than the background would wait before it sends what is owed.
  await sleep(3_000);
  expect(sites.map(({ dispatcher }) => dispatcher.intakes())).toEqual([0, 0]);
  const repeated = await send(base, alert);
  expect(repeated.json).toMatchObject({ durability: 'two-sites' });
});

test('P1: hanging dispatchers and buses that are gone: still an answer within 2 s', async () => {
  const { base } = await start();
  for (const { nats, dispatcher } of sites) {
    await nats.kill('SIGKILL');
    dispatcher.mode = 'hang';
    dispatcher.audience = undefined;
  }
  const answer = await send(base, niceAlert(Date.now()));
  expect(answer.status).toBe(503);
  expect(answer.tookMs).toBeLessThan(2_000);
});

test('a slow dispatcher does not delay the 202', async () => {
  const { base } = await start();
  sites[0].dispatcher.mode = 'hang';
  sites[0].dispatcher.audience = undefined;
  const answer = await send(base, niceAlert(Date.now()));
  expect(answer.json).toMatchObject({ durability: 'two-sites', audience: { total: 1000 } });
  expect(answer.tookMs).toBeLessThan(500);
});

test('P1: after a restart the outbox delivers to the lanes that lag', async () => {
  const first = await start();
  await sites[1].nats.kill('SIGKILL');
  await sites[1].dispatcher.stop();
  const answer = await send(first.base, niceAlert(Date.now()));
  const { id } = AcceptedAnswer.parse(answer.json);
  await first.close();
  await start({ buses: 1 });
  await sites[1].nats.restart();
  await sites[1].dispatcher.start();
  await until(() => sites[1].dispatcher.stored.has(id));
  await until(async () => (await onBus(sites[1]).catch(() => [])).length === 1);
  expect(sites[1].dispatcher.stored.get(id)).toBe(sites[0].dispatcher.stored.get(id));
});

test('P4: the same message, at once and later, is one alert with one answer; another content is a conflict', async () => {
  const { base } = await start();
  const alert = niceAlert(Date.now());
  const [one, other] = await Promise.all([send(base, alert), send(base, alert)]);
  expect([one.status, other.status]).toEqual([202, 202]);
  expect(other.json).toEqual(one.json);
  const later = await send(base, alert);
  expect(later.json).toEqual(one.json);
  expect(later.headers.get('idempotent-replay')).toBe('true');
  for (const site of sites) expect(await onBus(site)).toHaveLength(1);
  const changed = await send(base, { ...alert, note: 'changed' });
  expect(changed.status).toBe(409);
  expect(Problem.parse(changed.json).detail).toContain('nice-1');
});

test('an Idempotency-Key names one request: repeated it is the same alert, reused it is a conflict', async () => {
  const { base } = await start();
  const { links } = AcceptedAnswer.parse((await send(base, niceAlert(Date.now()))).json);
  const header = { 'idempotency-key': 'update-1' };
  const { info } = niceAlert(Date.now());
  const first = await post(base + links.update, { info }, header);
  expect(first.json).toMatchObject({ msgType: 'Update', identifier: 'nice-1.update-1' });
  const again = await post(base + links.update, { info }, header);
  expect(again.json).toEqual(first.json);
  const reused = await post(base + links.update, { info: info.slice(0, 1) }, header);
  expect(reused.status).toBe(409);
});

test('a dispatcher that knows another content under the identity makes it a conflict', async () => {
  const { base } = await start();
  for (const { nats, dispatcher } of sites) {
    await nats.kill('SIGKILL');
    dispatcher.mode = 'conflict';
  }
  const answer = await send(base, niceAlert(Date.now()));
  expect(answer.status).toBe(409);
});

test('P3: a Cancel goes the same way, refers to the alert and its update, and is not made twice', async () => {
  const { base } = await start();
  const alert = niceAlert(Date.now());
  const { links } = AcceptedAnswer.parse((await send(base, alert)).json);
  const updated = AcceptedAnswer.parse(
    (await post(base + links.update, { info: alert.info })).json,
  );
  const cancelled = await post(base + links.cancel, {
    reason: { 'fr-FR': { headline: 'Fausse alerte' } },
  });
  const { id, durability } = AcceptedAnswer.parse(cancelled.json);
  expect(durability).toBe('two-sites');
  await until(() => sites[0].dispatcher.stored.has(id));
  const sent = alertOf(sites[0].dispatcher.stored.get(id) ?? '');
  expect(sent.references?.split(' ')).toHaveLength(2);
  expect(sent.info[0]?.headline).toBe('Fausse alerte');
  for (const link of [links.cancel, updated.links.cancel]) {
    const again = await post(base + link, {});
    expect(again.status).toBe(409);
    expect(Problem.parse(again.json).type).toMatch(/already-cancelled$/);
  }
  const progress = await fetch(base + links.self, {
    headers: { authorization: `Bearer ${PREFECTURE_KEY}` },
  });
  expect(AlertProgress.parse(await progress.json()).state).toBe('cancelled');
});

test('P2: what one site’s ingest took can be followed and cancelled at the other’s', async () => {
  const a = await start();
  const { links, id } = AcceptedAnswer.parse((await send(a.base, niceAlert(Date.now()))).json);
  await a.close();
  const b = await start({ node: 'b' });
  const progress = await fetch(b.base + links.self, {
    headers: { authorization: `Bearer ${PREFECTURE_KEY}` },
  });
  expect(AlertProgress.parse(await progress.json())).toMatchObject({ id, durability: null });
  const cancelled = await post(b.base + links.cancel, {});
  expect(cancelled.json).toMatchObject({ msgType: 'Cancel', durability: 'two-sites' });
});

test('P2 P3: with both buses and the ingest that took it gone, the other ingest still follows, updates and cancels', async () => {
  const a = await start();
  for (const { nats } of sites) await nats.kill('SIGKILL');
  const taken = await send(a.base, niceAlert(Date.now()));
  const { links, id } = AcceptedAnswer.parse(taken.json);
  await a.close();
  const b = await start({ node: 'b', buses: 0 });
  const look = (path: string) =>
    fetch(b.base + path, { headers: { authorization: `Bearer ${PREFECTURE_KEY}` } });
  expect(AlertProgress.parse(await (await look(links.self)).json())).toMatchObject({ id });
  expect((await look(`/v1/alerts/${'0'.repeat(32)}`)).status).toBe(404);
  const updated = await post(b.base + links.update, { info: niceAlert(Date.now()).info });
  expect(updated.json).toMatchObject({ msgType: 'Update', durability: 'two-sites' });
  const cancelled = await post(b.base + links.cancel, {});
  expect(cancelled.json).toMatchObject({ msgType: 'Cancel', durability: 'two-sites' });
});

test('P3: a dispatcher that hands out something unsigned, or another alert, is not believed', async () => {
  const a = await start();
  const real = AcceptedAnswer.parse((await send(a.base, niceAlert(Date.now()))).json);
  const jws = sites[0].dispatcher.stored.get(real.id) ?? '';
  await a.close();
  for (const { nats } of sites) await nats.kill('SIGKILL');
  const b = await start({ node: 'b', buses: 0 });
  const [forged, other] = ['1'.repeat(32), '2'.repeat(32)];
  for (const { dispatcher } of sites) {
    dispatcher.put(forged, `${jws.slice(0, -8)}AAAAAAAA`);
    dispatcher.put(other, jws);
  }
  for (const id of [forged, other])
    expect((await post(`${b.base}/v1/alerts/${id}/cancel`, {})).status).toBe(404);
});

test('P2 P3: ingests that know different updates make two Cancels of one request; both are taken', async () => {
  const a = await start();
  const alert = niceAlert(Date.now());
  const { links } = AcceptedAnswer.parse((await send(a.base, alert)).json);
  await post(a.base + links.update, { info: alert.info });
  const b = await start({ node: 'b' });
  const request = { sent: alert.sent };
  const answers = [
    await post(a.base + links.cancel, request),
    await post(b.base + links.cancel, request),
  ];
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  const ids = answers.map(({ json }) => AcceptedAnswer.parse(json).id);
  expect(new Set(ids).size).toBe(2);
  await until(() => ids.every((id) => sites[0].dispatcher.stored.has(id)));
});
