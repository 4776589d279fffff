import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { AcceptedAnswer } from '../../services/ingest/accept/accepted-answer.ts';
import { AlertProgress } from '../../services/ingest/progress/alert-progress.ts';
import { RouteProofs } from '../../services/ingest/progress/path-proofs.ts';
import { startIngest } from '../../services/ingest/start-ingest.ts';
import { Problem } from '../../shared/http/problem.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { sleep } from '../../shared/time/sleep.ts';
import {
  CANARY_KEY,
  EXPIRED_KEY,
  makeApiKeys,
  makeKeys,
  niceAlert,
  PREFECTURE_KEY,
  testAlert,
} from '../support/ingest-fixtures.ts';
import { type StandInDispatcher, startStandInDispatcher } from '../support/stand-in-dispatcher.ts';

const TOKEN = 'internal-token';
const folder = mkdtempSync(join(tmpdir(), 'ingest-contract-'));
let dispatchers: StandInDispatcher[];
let ingest: Awaited<ReturnType<typeof startIngest>>;
let base: string;

beforeAll(async () => {
  dispatchers = [
    await startStandInDispatcher('a', TOKEN),
    await startStandInDispatcher('b', TOKEN),
  ];
  const [a, b] = dispatchers.map(({ url }) => url);
  ingest = await startIngest(
    {
      host: '127.0.0.1',
      port: 0,
      site: 'a',
      node: 'a',
      dataDir: folder,
      natsSites: [],
      ingests: [],
      dispatchers: [
        { name: 'a', site: 'a', url: a ?? '' },
        { name: 'b', site: 'b', url: b ?? '' },
      ],
      canaries: [],
      edges: [],
      development: true,
      internalToken: TOKEN,
      apiKeys: makeApiKeys(),
      ...makeKeys(),
    },
    createLogger('ingest', 'a', 'silent'),
  );
  base = `http://127.0.0.1:${ingest.port}`;
});

afterAll(async () => {
  await ingest.close();
  await Promise.all(dispatchers.map((each) => each.stop()));
  rmSync(folder, { recursive: true });
});

interface Call {
  readonly method?: string;
  readonly key?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function call(path: string, { method, key = PREFECTURE_KEY, body, headers = {} }: Call = {}) {
  const response = await fetch(base + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    json: text === '' ? undefined : JSON.parse(text),
  };
}

const Document = z.object({
  openapi: z.string(),
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ responses: z.record(z.string(), z.unknown()) })),
  ),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

test('the served OpenAPI document lists every route and only those', async () => {
  const document = Document.parse((await call('/openapi.json')).json);
  expect(document.openapi).toBe('3.1.0');
  const listed = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );
  expect(listed.sort()).toEqual([
    'get /openapi.json',
    'get /v1/alerts/{id}',
    'get /v1/alerts/{id}/trace',
    'get /v1/credentials',
    'get /v1/routes',
    'post /v1/alerts',
    'post /v1/alerts/{id}/cancel',
    'post /v1/alerts/{id}/update',
    'post /v1/proofs',
  ]);
  for (const route of listed) {
    const [method = '', path = ''] = route.split(' ');
    const answer = await call(path.replace('{id}', '0'.repeat(32)), {
      method: method.toUpperCase(),
      key: 'wrong',
    });
    expect([200, 401]).toContain(answer.status);
  }
  expect(document.components.schemas['Alert']).toMatchObject({
    type: 'object',
    additionalProperties: false,
  });
  expect(JSON.stringify(document)).not.toContain('"$schema"');
});

test('real answers fit the schemas of the document, and their statuses are listed', async () => {
  const document = Document.parse((await call('/openapi.json')).json);
  const statuses = (path: string, method: string) =>
    Object.keys(document.paths[path]?.[method]?.responses ?? {}).map(Number);
  const alert = niceAlert(Date.now());
  const accepted = await call('/v1/alerts', { body: alert });
  expect(accepted.status).toBe(202);
  const { id, links, ...rest } = AcceptedAnswer.parse(accepted.json);
  expect(rest).toMatchObject({ durability: 'two-sites', audience: { total: 1000 } });
  expect(accepted.headers.get('location')).toBe(links.self);
  const progress = await call(links.self);
  expect(AlertProgress.parse(progress.json)).toMatchObject({
    id,
    state: 'done',
    alert,
    transports: { fcm: { accepted: 599 } },
  });
  const cancelled = await call(links.cancel, { body: {} });
  expect(AcceptedAnswer.parse(cancelled.json)).toMatchObject({ msgType: 'Cancel' });
  expect(RouteProofs.parse((await call('/v1/routes')).json).routes).toHaveLength(8);
  const proofs = { v: 1, canary: 'a', proofs: [] };
  expect((await call('/v1/proofs', { key: TOKEN, body: proofs })).status).toBe(204);
  const bad = await call('/v1/alerts', { body: {} });
  expect(Problem.parse(bad.json).errors?.length).toBeGreaterThan(5);
  expect(statuses('/v1/alerts', 'post')).toEqual(expect.arrayContaining([202, bad.status]));
});

test.each<[string, string, Call, number, string]>([
  ['no such route', '/v1/nothing', {}, 404, 'not-found'],
  ['a wrong key', '/v1/alerts', { key: 'wrong', body: {} }, 401, 'not-authenticated'],
  ['an expired key', '/v1/alerts', { key: EXPIRED_KEY, body: {} }, 401, 'key-expired'],
  [
    'another media type',
    '/v1/alerts',
    { body: '<alert/>', headers: { 'content-type': 'application/cap+xml' } },
    415,
    'unsupported-media-type',
  ],
  ['not JSON', '/v1/alerts', { body: '{"a":' }, 400, 'invalid-json'],
  [
    'JSON that nests without end',
    '/v1/alerts',
    { body: `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}` },
    400,
    'invalid-json',
  ],
  ['more than 64 KB', '/v1/alerts', { body: { note: 'x'.repeat(65_536) } }, 413, 'too-large'],
  ['a list', '/v1/alerts', { body: [] }, 422, 'invalid-alert'],
  [
    'an unusable Idempotency-Key',
    '/v1/alerts',
    { body: {}, headers: { 'idempotency-key': 'x'.repeat(201) } },
    400,
    'invalid-idempotency-key',
  ],
  ['an alert that nobody knows', `/v1/alerts/${'0'.repeat(32)}`, {}, 404, 'unknown-alert'],
  ['an id that is none', '/v1/alerts/..%2f', {}, 404, 'unknown-alert'],
  [
    'a cancel of an unknown alert',
    `/v1/alerts/${'0'.repeat(32)}/cancel`,
    { body: {} },
    404,
    'unknown-alert',
  ],
  ['proofs without the internal token', '/v1/proofs', { body: {} }, 401, 'not-authenticated'],
  ['proofs that are none', '/v1/proofs', { key: TOKEN, body: { v: 2 } }, 400, 'invalid-request'],
])('bad input: %s is a clear problem', async (_what, path, request, status, kind) => {
  const answer = await call(path, request);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.status).toBe(status);
  const problem = Problem.parse(answer.json);
  expect(problem).toMatchObject({ status, type: `https://tocsin.example/problems/${kind}` });
});

test('P7: a malformed and unauthorised alert hears of both in one answer, and nothing is sent', async () => {
  const before = dispatchers.map((each) => each.intakes());
  const alert = niceAlert(Date.now(), { identifier: 'bad', sender: 'pref13@alerte.example' });
  const [info] = alert.info;
  const body = {
    ...alert,
    colour: 'red',
    info: [
      {
        ...info,
        headline: '',
        area: [{ areaDesc: 'Marseille', geocode: [{ valueName: 'INSEE:COM', value: '13055' }] }],
      },
    ],
  };
  const answer = await call('/v1/alerts', { body });
  expect(answer.status).toBe(403);
  expect(Problem.parse(answer.json).errors?.map(({ field }) => field)).toEqual([
    'sender',
    'info[0].area[0].geocode',
    'info[0].headline',
    'colour',
  ]);
  expect(dispatchers.map((each) => each.intakes())).toEqual(before);
});

test('P6: a Test goes with the canary’s key only, and an Actual never does', async () => {
  const now = Date.now();
  expect((await call('/v1/alerts', { body: testAlert(now) })).status).toBe(403);
  expect((await call('/v1/alerts', { key: CANARY_KEY, body: niceAlert(now) })).status).toBe(403);
  expect(
    (await call('/v1/alerts', { key: CANARY_KEY, body: testAlert(now, { code: [] }) })).status,
  ).toBe(422);
  const accepted = await call('/v1/alerts', { key: CANARY_KEY, body: testAlert(now) });
  expect(AcceptedAnswer.parse(accepted.json)).toMatchObject({ status: 'Test', audience: null });
  const foreign = await call(`/v1/alerts/${accepted.json.id}`);
  expect(foreign.status).toBe(403);
});

test('P3: an alert that has expired is not sent; P12: a text that no device could take names its field', async () => {
  const expired = await call('/v1/alerts', { body: niceAlert(Date.now() - 2 * 3_600_000) });
  expect(expired.status).toBe(422);
  expect(Problem.parse(expired.json).errors?.map(({ field }) => field)).toEqual([
    'info[0].expires',
    'info[1].expires',
  ]);
  const alert = niceAlert(Date.now(), { identifier: 'long' });
  const long = {
    ...alert,
    info: alert.info.map((info) => ({ ...info, instruction: 'é'.repeat(1_400) })),
  };
  const refused = await call('/v1/alerts', { body: long });
  expect(refused.status).toBe(422);
  expect(Problem.parse(refused.json).errors?.map(({ field }) => field)).toEqual([
    'info[0].instruction',
    'info[1].instruction',
  ]);
});

test('P12: beyond 32 alerts in work a client hears so at once; a Cancel still gets through', async () => {
  const standing = await call('/v1/alerts', {
    body: niceAlert(Date.now(), { identifier: 'standing' }),
  });
  const { links } = AcceptedAnswer.parse(standing.json);
  for (const dispatcher of dispatchers) dispatcher.mode = 'hang';
  const shed: number[] = [];
  const crowd = Array.from({ length: 40 }, async (_each, i) => {
    const startedMs = performance.now();
    const body = niceAlert(Date.now(), { identifier: `crowd-${i}` });
    const { status, json } = await call('/v1/alerts', { body });
    if (status === 503 && Problem.parse(json).type.endsWith('/busy'))
      shed.push(performance.now() - startedMs);
  });
  // The 32 that were taken are held by the hanging dispatchers for a second and a half.
  for (const end = performance.now() + 1_200; shed.length < 8 && performance.now() < end; )
    await sleep(10);
  expect(shed).toHaveLength(8);
  for (const tookMs of shed) expect(tookMs).toBeLessThan(1_000);
  for (const dispatcher of dispatchers) dispatcher.mode = 'store';
  const cancelled = await call(links.cancel, { body: {} });
  expect(cancelled.status).toBe(202);
  await Promise.all(crowd);
});
