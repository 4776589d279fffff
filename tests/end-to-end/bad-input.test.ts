import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  ALERT_AREA,
  type CrowdReport,
  crowdReport,
  registerCrowd,
} from '../../deploy/demo/crowd.ts';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { Problem } from '../../shared/http/problem.ts';
import { AudienceAnswer } from '../../shared/receipt/progress.ts';
import { createReceiverKeys } from '../../shared/web-push/decrypt.ts';
import {
  exampleAlert,
  readSecret,
  startWholeSystem,
  untilCrowd,
  type WholeSystem,
} from '../support/whole-system.ts';

// The real ingest and edge of a whole system: every bad request hears what is wrong, nothing goes out, nothing is lost.
const DEVICES = 25;
let system: WholeSystem;
let before: number;

beforeAll(async () => {
  system = await startWholeSystem({ services: ['dispatcher', 'ingest', 'edge'] });
  await registerCrowd(system, DEVICES, () => undefined);
  before = await messagesSoFar();
}, 90_000);
afterAll(async () => {
  await system?.close();
  system?.destroy();
}, 30_000);

/** Messages that the providers have taken for any device of the crowd, of any alert. */
async function messagesSoFar(): Promise<number> {
  const { inside, outside } = await crowdReport(system, '0'.repeat(32));
  return inside.acceptedMessages + outside.acceptedMessages;
}

async function audience(): Promise<number[]> {
  return Promise.all(
    system.sites.map(async (site) => {
      const url = `${urlOf(system, `dispatcher-${site}`)}/v1/audience?area=${ALERT_AREA}`;
      const { counts } = await fetchJson(url, {
        schema: AudienceAnswer,
        timeoutMs: 5_000,
        token: system.internalToken,
      });
      return (counts.fcm ?? 0) + (counts['web-push'] ?? 0);
    }),
  );
}

/** Fails unless it is a problem document that says what is wrong and what to do. */
async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(response.status);
  expect(problem.title.length).toBeGreaterThan(10);
  return problem;
}

type Example = Record<string, unknown> & { info: Record<string, unknown>[] };
const nice = (changes: Record<string, unknown> = {}) =>
  ({ ...exampleAlert('nice-alert'), ...changes }) as Example;
const instant = (offsetMs: number) =>
  new Date(Date.now() + offsetMs).toISOString().replace(/\.\d+Z$/, '+00:00');
const withInfo = (changes: Record<string, unknown>) => {
  const alert = nice();
  return { ...alert, info: alert.info.map((info) => ({ ...info, ...changes })) };
};
const areaOf = (value: string) => [{ areaDesc: 'x', geocode: [{ valueName: 'INSEE:COM', value }] }];
let deep: unknown = 1;
for (let i = 0; i < 200; i++) deep = { deep };

interface BadAlert {
  readonly title: string;
  readonly body: () => unknown;
  readonly headers?: Record<string, string>;
  readonly status: number;
  /** A field that `errors` names. */
  readonly field?: string;
}

const BAD_ALERTS: readonly BadAlert[] = [
  { title: 'no JSON', body: () => '{"identifier":', status: 400 },
  { title: 'an array', body: () => [], status: 422 },
  { title: 'JSON without end', body: () => nice({ note: deep }), status: 400 },
  { title: 'not sent as JSON', body: nice, headers: { 'content-type': 'text/plain' }, status: 415 },
  { title: 'more than 64 KB', body: () => nice({ note: 'x'.repeat(70_000) }), status: 413 },
  {
    title: 'expired',
    body: () => withInfo({ expires: instant(-60_000) }),
    status: 422,
    field: 'info[0].expires',
  },
  {
    title: 'sent in the future',
    body: () => nice({ sent: instant(3_600_000) }),
    status: 422,
    field: 'sent',
  },
  { title: 'no area', body: () => withInfo({ area: [] }), status: 422, field: 'info[0].area' },
  {
    title: 'an area that is none',
    body: () => withInfo({ area: areaOf('99999') }),
    status: 403,
    field: 'info[0].area[0].geocode[0]',
  },
  {
    title: 'outside the territory',
    body: () => withInfo({ area: areaOf('75056') }),
    status: 403,
    field: 'info[0].area[0].geocode',
  },
  { title: 'an unknown field', body: () => nice({ colour: 'red' }), status: 422, field: 'colour' },
  {
    title: 'a text too long for a phone',
    body: () => withInfo({ description: 'é'.repeat(1_900) }),
    status: 422,
  },
  {
    title: 'P6: a Test by who may not test',
    body: () => nice({ status: 'Test' }),
    status: 403,
    field: 'status',
  },
  { title: 'a Draft', body: () => nice({ status: 'Draft' }), status: 403, field: 'status' },
  {
    title: 'somebody else’s name',
    body: () => nice({ sender: 'pref13@alerte.example' }),
    status: 403,
    field: 'sender',
  },
  { title: 'no key', body: nice, headers: { authorization: '' }, status: 401 },
  {
    title: 'a wrong key',
    body: nice,
    headers: { authorization: 'Bearer tocsin_wrong' },
    status: 401,
  },
];

test.each(BAD_ALERTS)(
  'P7: an alert that is bad ($title) is answered $status with what is wrong',
  async (bad) => {
    const body = bad.body();
    const response = await fetch(`${urlOf(system, 'ingest-a')}/v1/alerts`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${readSecret(system.stateDir, 'keys/pref06.key')}`,
        'content-type': 'application/json',
        ...bad.headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const problem = await problemOf(response);
    expect([problem.status, problem.title, problem.errors]).toEqual([
      bad.status,
      expect.any(String),
      bad.field === undefined
        ? problem.errors
        : expect.arrayContaining([expect.objectContaining({ field: bad.field })]),
    ]);
    expect(`${problem.detail}${problem.action}${JSON.stringify(problem.errors)}`).not.toBe(
      'undefinedundefinedundefined',
    );
  },
);

test.each(['cancel', 'update'])(
  'a %s of an alert that nobody knows is answered 404 with what to do',
  async (change) => {
    const response = await fetch(
      `${urlOf(system, 'ingest-a')}/v1/alerts/${'0'.repeat(32)}/${change}`,
      {
        method: 'POST',
        headers: {
          authorization: `Bearer ${readSecret(system.stateDir, 'keys/pref06.key')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(change === 'update' ? { info: nice().info } : {}),
      },
    );
    expect((await problemOf(response)).status).toBe(404);
  },
);

const webPush = (changes: Record<string, unknown> = {}) => {
  const { publicKey, auth } = createReceiverKeys();
  return {
    transport: 'web-push',
    endpoint: `${urlOf(system, 'providers')}/wpush/v2/x`,
    keys: { p256dh: publicKey, auth },
    ...changes,
  };
};
const subscription = (changes: Record<string, unknown> = {}) => ({
  address: webPush(),
  areaCodes: [ALERT_AREA],
  language: 'fr-FR',
  appVersion: 'test',
  ...changes,
});
const to = (endpoint: string) => () => subscription({ address: webPush({ endpoint }) });

interface BadSubscription {
  readonly title: string;
  readonly body: () => unknown;
  readonly status: number;
  readonly field?: string;
  readonly deviceId?: string;
}

const BAD_SUBSCRIPTIONS: readonly BadSubscription[] = [
  { title: 'no JSON', body: () => '{', status: 400 },
  { title: 'nothing', body: () => ({}), status: 400, field: 'address' },
  { title: 'too large', body: () => subscription({ appVersion: 'x'.repeat(9_000) }), status: 413 },
  { title: 'a device id that is no 128 bits', body: subscription, deviceId: 'me', status: 400 },
  { title: 'an unknown field', body: () => subscription({ name: 'Jean' }), status: 400 },
  {
    title: 'our own loopback',
    body: to('https://127.0.0.1:8402/v1/intake'),
    status: 422,
    field: 'address.endpoint',
  },
  {
    title: 'the cloud’s metadata',
    body: to('https://169.254.169.254/latest/'),
    status: 422,
    field: 'address.endpoint',
  },
  {
    title: 'a name in our own network',
    body: to('https://dispatcher-a/v1/intake'),
    status: 422,
    field: 'address.endpoint',
  },
  { title: 'plain http', body: to('http://updates.push.services.mozilla.com/x'), status: 400 },
  {
    title: 'a push host in a user name',
    body: to('https://updates.push.services.mozilla.com@127.0.0.1/'),
    status: 422,
    field: 'address.endpoint',
  },
  {
    title: 'P6: the area of the probes',
    body: () => subscription({ areaCodes: ['ZZ999'] }),
    status: 422,
    field: 'areaCodes',
  },
  {
    title: 'a key that is no point',
    body: () =>
      subscription({
        address: webPush({ keys: { p256dh: 'A'.repeat(87), auth: 'A'.repeat(22) } }),
      }),
    status: 422,
    field: 'address.keys.p256dh',
  },
];

test.each(BAD_SUBSCRIPTIONS)(
  'a subscription that is bad ($title) is answered $status and not registered',
  async (bad) => {
    const body = bad.body();
    const deviceId = bad.deviceId ?? randomBytes(16).toString('base64url');
    const response = await fetch(`${urlOf(system, 'edge-a')}/v1/subscriptions/${deviceId}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${randomBytes(32).toString('base64url')}`,
        'content-type': 'application/json',
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const problem = await problemOf(response);
    expect(problem.status).toBe(bad.status);
    if (bad.field !== undefined)
      expect(problem.errors).toContainEqual(expect.objectContaining({ field: bad.field }));
  },
);

test('a stranger cannot import devices, nor hand a dispatcher an alert', async () => {
  const paths = [
    `${urlOf(system, 'edge-a')}/v1/subscriptions:import`,
    `${urlOf(system, 'dispatcher-a')}/v1/intake`,
  ];
  for (const path of paths) {
    const response = await fetch(path, {
      method: 'POST',
      headers: { authorization: 'Bearer guess', 'content-type': 'application/json' },
      body: '[]',
    });
    expect((await problemOf(response)).status).toBe(401);
  }
});

// The last one, when everything above was tried.
test('P10 P12: slow clients hold up nobody and are cut off; after all the bad input nothing was sent, nothing is lost, and a good alert reaches everybody', async () => {
  const { hostname, port } = new URL(urlOf(system, 'ingest-a'));
  const slow = Array.from({ length: 50 }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write('POST /v1/alerts HTTP/1.1\r\nHost: x\r\nContent-Le');
    return socket;
  });
  const cut = Promise.all(slow.map((socket) => once(socket, 'close')));

  expect(await messagesSoFar()).toBe(before);
  expect(await audience()).toEqual([DEVICES / 5, DEVICES / 5]);
  const startedMs = Date.now();
  const { id } = await fetchJson(`${urlOf(system, 'ingest-a')}/v1/alerts`, {
    schema: z.object({ id: z.string() }),
    timeoutMs: 5_000,
    token: readSecret(system.stateDir, 'keys/pref06.key'),
    json: nice(),
  });
  expect(Date.now() - startedMs).toBeLessThan(2_000);
  const everybody = ({ inside }: CrowdReport) => inside.received === inside.devices;
  const { inside, outside } = await untilCrowd(system, id, everybody);
  expect([inside.devices, inside.shownTwice, outside.received]).toEqual([DEVICES / 5, 0, 0]);
  await cut;
  expect(Date.now() - startedMs).toBeLessThan(10_000);
}, 60_000);
