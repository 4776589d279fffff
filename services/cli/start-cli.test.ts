import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Listening, listen } from '../../shared/http/listen.ts';
import { startCli } from './start-cli.ts';

const NOW = Date.parse('2026-07-14T20:31:07Z');
const ID = 'a'.repeat(32);
const ALERT = 'deploy/examples/nice-alert.json';
const UPDATE = 'deploy/examples/nice-update.json';
const CANCEL = 'deploy/examples/nice-cancel.json';

interface Call {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown> | unknown[] | undefined;
}

interface Stub extends Listening {
  readonly url: string;
  readonly calls: Call[];
}

type Answer = (call: Call) => { status: number; body: unknown } | 'silence';

let folder: string;
let stubs: Stub[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-cli-'));
  stubs = [];
  writeFileSync(join(folder, 'key'), 'tocsin_clear\n');
  writeFileSync(join(folder, 'token'), 'internal\n');
});

afterEach(async () => {
  for (const stub of stubs) stub.server.closeAllConnections();
  await Promise.all(stubs.map((stub) => stub.close()));
  rmSync(folder, { recursive: true });
});

async function serve(answer: Answer): Promise<Stub> {
  const calls: Call[] = [];
  const listening = await listen(
    async (request, response) => {
      const text = await textOf(request);
      const call = {
        method: request.method ?? '',
        url: request.url ?? '',
        authorization: request.headers.authorization,
        body: text === '' ? undefined : JSON.parse(text),
      };
      calls.push(call);
      const answered = answer(call);
      if (answered === 'silence') return;
      response.writeHead(answered.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answered.body));
    },
    { host: '127.0.0.1', port: 0 },
  );
  const stub = { ...listening, url: `http://127.0.0.1:${listening.port}`, calls };
  stubs.push(stub);
  return stub;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

interface RunOptions {
  readonly ingests?: readonly { url: string }[];
  readonly edges?: readonly { url: string }[];
  readonly dispatchers?: readonly { url: string }[];
  readonly typed?: string;
}

/** Runs one command line as a person would, on a terminal when `typed` says what they type. */
async function run(
  args: readonly string[],
  { ingests = [], edges = [], dispatchers = [], typed }: RunOptions = {},
) {
  const named = (nodes: readonly { url: string }[]) =>
    nodes.map(({ url }, i) => ({ name: 'abc'[i] ?? 'z', site: 'abc'[i] ?? 'z', url }));
  const config = join(folder, 'cli.json');
  const file = {
    ingests: named(ingests.length > 0 ? ingests : [{ url: 'http://127.0.0.1:9' }]),
    edges: named(edges),
    dispatchers: named(dispatchers),
    keyFile: join(folder, 'key'),
    internalTokenFile: join(folder, 'token'),
  };
  writeFileSync(config, JSON.stringify(file));
  const output = { out: '', err: '', asked: '' };
  const code = await startCli([...args, '--config', config], {
    env: { LANG: 'C.UTF-8' },
    now: () => NOW,
    sleep: () => Promise.resolve(),
    terminal: {
      out: (text) => {
        output.out += text;
      },
      err: (text) => {
        output.err += text;
      },
      isInteractive: typed !== undefined,
      columns: 100,
      ask: async (question) => {
        output.asked += question;
        return typed ?? '';
      },
    },
  });
  return { code, ...output };
}

const accepted = (durability = 'two-sites') => ({
  status: 202,
  body: {
    id: ID,
    durability,
    storedBy: [{ site: 'a', lane: 'bus', node: 'a' }],
    audience: { total: 2, counts: { fcm: 1200 } },
    links: { self: `/v1/alerts/${ID}` },
    fieldOfTheFuture: true,
  },
});

test('an alert file goes out with its placeholders filled in, and the answer is said in plain words', async () => {
  const ingest = await serve(() => accepted());
  const { code, out } = await run(['send', ALERT], { ingests: [ingest] });
  expect(code).toBe(0);
  expect(out).toContain('Nice (06088)');
  expect(out).toContain('2 (fr-FR, en-GB)');
  expect(out).toContain(`Accepté par le point d’entrée a. Numéro : ${ID}`);
  expect(out).toContain('deux sites');
  const [call] = ingest.calls;
  expect(call).toMatchObject({
    method: 'POST',
    url: '/v1/alerts',
    authorization: 'Bearer tocsin_clear',
  });
  const body = call?.body as { sent: string; identifier: string };
  expect(Date.parse(body.sent)).toBe(NOW);
  expect(body.identifier).toMatch(/^pref06-20260714T203107Z-[0-9a-f]{6}$/);
});

test('P1: an answer that only one site has it is shouted', async () => {
  const ingest = await serve(() => accepted('one-site'));
  const { code, out } = await run(['send', ALERT], { ingests: [ingest] });
  expect(code).toBe(0);
  expect(out).toContain('ATTENTION : enregistré dans un seul site');
});

test.each([
  ['says 503', 503 as const],
  ['does not answer in time', 'silence' as const],
])(
  'when an ingest %s, the very same message goes to the next one, and it is said',
  async (_what, answer) => {
    const first = await serve(() => (answer === 'silence' ? answer : { status: answer, body: {} }));
    const second = await serve(() => accepted());
    const { code, err, out } = await run(['send', ALERT], { ingests: [first, second] });
    expect(code).toBe(0);
    expect(err).toContain('même message au point d’entrée b');
    expect(out).toContain('point d’entrée b');
    expect(second.calls[0]?.body).toEqual(first.calls[0]?.body);
  },
);

test('--ingest names who is tried first; the others stay behind it', async () => {
  const [first, second] = [
    await serve(() => accepted()),
    await serve(() => ({ status: 503, body: {} })),
  ];
  const { code } = await run(['send', ALERT, '--ingest', 'b'], { ingests: [first, second] });
  expect(code).toBe(0);
  expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  expect((await run(['send', ALERT, '--ingest', 'x'], { ingests: [first] })).code).toBe(2);
});

test('nobody answers: exit code 3, every ingest named, and what to do', async () => {
  const { code, err } = await run(['send', ALERT], {
    ingests: [{ url: 'http://127.0.0.1:9' }, { url: 'http://127.0.0.1:10' }],
  });
  expect(code).toBe(3);
  expect(err).toContain('http://127.0.0.1:9');
  expect(err).toContain('http://127.0.0.1:10');
  expect(err).toContain('À faire');
});

test('a refusal shows every error, one a line, and the action; the next ingest is not bothered', async () => {
  const problem = {
    type: 'x',
    title: 'Not authorised',
    status: 403,
    action: 'Ask for a key',
    errors: [
      { field: 'sender', message: 'wrong sender' },
      { field: 'info[0].area', message: 'outside' },
    ],
  };
  const [first, second] = [
    await serve(() => ({ status: 403, body: problem })),
    await serve(() => accepted()),
  ];
  const { code, err } = await run(['send', ALERT], { ingests: [first, second] });
  expect(code).toBe(1);
  expect(err.split('\n')).toEqual([
    'Refusé : Not authorised (403)',
    '  sender: wrong sender',
    '  info[0].area: outside',
    'À faire : Ask for a key',
    '',
  ]);
  expect(second.calls).toEqual([]);
});

test('a wrong message is not sent: all that is wrong is said at once', async () => {
  const ingest = await serve(() => accepted());
  const path = join(folder, 'wrong.json');
  writeFileSync(
    path,
    JSON.stringify({
      ...JSON.parse(readFileSync(ALERT, 'utf8')),
      status: 'Real',
      sent: 'now',
      hedline: 'x',
    }),
  );
  const { code, err } = await run(['send', path], { ingests: [ingest] });
  expect(code).toBe(1);
  expect(err).toContain('  status: ');
  expect(err).toContain('  hedline: ');
  expect(ingest.calls).toEqual([]);
});

test.each([['oui'], [''], ['send']])(
  'on a terminal a real alert waits for the word: "%s" sends nothing',
  async (typed) => {
    const ingest = await serve(() => accepted());
    const { code, asked } = await run(['send', ALERT], { ingests: [ingest], typed });
    expect(asked).toContain('ENVOYER');
    expect(code).toBe(1);
    expect(ingest.calls).toEqual([]);
  },
);

test('the word sends it; --yes and an exercise need no word', async () => {
  const ingest = await serve(() => accepted());
  expect((await run(['send', ALERT], { ingests: [ingest], typed: 'envoyer' })).code).toBe(0);
  expect((await run(['send', ALERT, '--yes'], { ingests: [ingest], typed: '' })).asked).toBe('');
  expect(
    (await run(['send', 'deploy/examples/nice-exercise.json'], { ingests: [ingest], typed: '' }))
      .asked,
  ).toBe('');
  expect(ingest.calls).toHaveLength(3);
});

test('an update sends only what changes, to the address of the alert it is about', async () => {
  const status = {
    status: 200,
    body: { id: ID, state: 'done', alert: { sent: '2026-07-14T22:00:00+02:00', status: 'Actual' } },
  };
  const ingest = await serve(({ method }) => (method === 'GET' ? status : accepted()));
  const { code } = await run(['update', ID, UPDATE], { ingests: [ingest] });
  expect(code).toBe(0);
  expect(ingest.calls[1]?.url).toBe(`/v1/alerts/${ID}/update`);
  expect(Object.keys(ingest.calls[1]?.body ?? {}).sort()).toEqual(['identifier', 'info', 'sent']);
});

test('P6: the text of a real alert is not sent as the update of an exercise', async () => {
  const status = {
    status: 200,
    body: {
      id: ID,
      state: 'done',
      alert: { sent: '2026-07-14T22:00:00+02:00', status: 'Exercise' },
    },
  };
  const ingest = await serve(({ method }) => (method === 'GET' ? status : accepted()));
  const { code, err } = await run(['update', ID, UPDATE], { ingests: [ingest] });
  expect(code).toBe(1);
  expect(err).toContain('Exercise');
  expect(ingest.calls).toHaveLength(1);
});

test('a cancellation is sent at once, with the reason that people read', async () => {
  const ingest = await serve(() => accepted());
  await run(['cancel', ID, '--reason', 'Erreur de la préfecture'], {
    ingests: [ingest],
    typed: '',
  });
  await run(['cancel', ID, CANCEL], { ingests: [ingest] });
  expect(ingest.calls[0]).toMatchObject({
    url: `/v1/alerts/${ID}/cancel`,
    body: { reason: { 'fr-FR': { description: 'Erreur de la préfecture' } } },
  });
  expect(ingest.calls[1]?.body).toMatchObject({
    reason: {
      'fr-FR': { headline: expect.stringContaining('par erreur') },
      'en-GB': { headline: expect.any(String) },
    },
  });
  expect(ingest.calls[1]?.body).not.toHaveProperty('info');
});

test('--follow shows what changes until the alert is sent', async () => {
  const progress = (state: string, acceptedCount: number) => ({
    status: 200,
    body: {
      id: ID,
      state,
      issuedAt: '2026-07-14T20:31:08.000Z',
      alert: { sent: '2026-07-14T22:31:07+02:00', status: 'Actual' },
      nodes: [
        {
          node: 'a',
          state,
          receivedAt: '2026-07-14T20:31:08.000Z',
          transports: { fcm: { accepted: acceptedCount } },
        },
        { node: 'b', state: 'no-answer', receivedAt: null, transports: {} },
      ],
      transports: {
        fcm: {
          audience: 1000,
          accepted: acceptedCount,
          pending: 1000 - acceptedCount,
          firstAcceptedAt: '2026-07-14T20:31:08.100Z',
          lastAcceptedAt: '2026-07-14T20:31:09.500Z',
        },
      },
      probes: {
        received: acceptedCount > 500 ? 2 : 0,
        total: 4,
        known:
          acceptedCount > 500
            ? [
                { receivedAt: '2026-07-14T20:31:09.100Z' },
                { receivedAt: '2026-07-14T20:31:08.500Z' },
              ]
            : [],
      },
      deviceReceipts: { fcm: { shown: 12 } },
    },
  });
  let looks = 0;
  const ingest = await serve(({ method }) => {
    if (method === 'POST') return accepted();
    looks++;
    if (looks === 2) return { status: 503, body: {} };
    return looks < 4 ? progress('sending', 400) : progress('cancelled', 1000);
  });
  let clock = NOW;
  const config = join(folder, 'cli.json');
  writeFileSync(
    config,
    JSON.stringify({ ingests: [{ name: 'a', url: ingest.url }], keyFile: join(folder, 'key') }),
  );
  let out = '';
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    err: () => undefined,
    isInteractive: false,
    columns: 80,
    ask: async () => '',
  };
  const code = await startCli(['send', ALERT, '--follow', '--config', config], {
    env: {},
    now: () => clock,
    sleep: async (ms) => {
      clock += ms;
    },
    terminal,
  });
  expect(code).toBe(0);
  expect(out).toContain('envoi en cours');
  expect(out).toContain('fcm       400 sur 1\u00a0000 acceptés par le fournisseur, 600 en attente');
  expect(out).toContain('(premier après 0,1 s, dernier après 1,5 s)');
  expect(out).toContain('nœud b    ne répond pas');
  expect(out).toContain('Reçue et vérifiée par 2 sondes sur 4 après 1,1 s');
  expect(out).toContain('Appareils fcm : affichée 12');
  expect(out).toContain('annulée');
  expect(out.match(/envoi en cours/g)?.length).toBeLessThanOrEqual(4);
});

test('routes: the age of each path’s proof, and exit code 1 when one is not proved', async () => {
  const path = { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'fcm' };
  const ages = [12, null];
  const ingest = await serve(() => ({
    status: 200,
    body: { routes: [{ path, ageSeconds: ages.shift() }] },
  }));
  const good = await run(['routes'], { ingests: [ingest] });
  expect([good.code, good.out]).toEqual([0, expect.stringContaining('il y a 12 s')]);
  const bad = await run(['routes', '--lang', 'en'], { ingests: [ingest] });
  expect([bad.code, bad.out]).toEqual([1, expect.stringContaining('never proved')]);
});

test('an API key is shown once, and only its hash is kept', async () => {
  const file = join(folder, 'api-keys.json');
  const args = [
    'keys',
    'new-api',
    '--id',
    'pref13',
    '--sender',
    'pref13@alerte.example',
    '--territory',
    '13,06088',
    '--statuses',
    'Actual,Exercise',
    '--append',
    file,
  ];
  const { code, out } = await run(args);
  expect(code).toBe(0);
  const clear = /^tocsin_\S+$/m.exec(out)?.[0] ?? '';
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain(clear);
  expect(JSON.parse(text).keys).toEqual([
    {
      id: 'pref13',
      hash: createHash('sha256').update(clear).digest('hex'),
      sender: 'pref13@alerte.example',
      territory: ['13', '06088'],
      statuses: ['Actual', 'Exercise'],
      maxSeverity: 'Extreme',
    },
  ]);
  expect((await run(args)).code).toBe(1);
  const wrong = await run([
    'keys',
    'new-api',
    '--id',
    'X',
    '--sender',
    'a b',
    '--territory',
    '99',
    '--statuses',
    'Draft',
  ]);
  expect(wrong.code).toBe(2);
  expect(wrong.err.match(/^ {2}/gm)).toHaveLength(4);
  const list = await run(['keys', 'list']);
  expect(list.out).toContain('pref13@alerte.example');
  expect(list.out).not.toMatch(/[0-9a-f]{64}/);
});

test('signing and VAPID keys: the private half goes to a file of one’s own that is never overwritten', async () => {
  const signing = ['keys', 'new-signing', '--audience', 'public', '--kid', 'a-public-2'];
  const { code, out } = await run(signing);
  expect(code).toBe(0);
  const path = join(folder, 'keys', 'a-public-2.json');
  const { d, ...publicPart } = JSON.parse(readFileSync(path, 'utf8'));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(out).toContain(publicPart.x);
  expect(out).not.toContain(d);
  expect((await run(signing)).code).toBe(1);
  expect((await run(['keys', 'new-signing', '--audience', 'all', '--kid', 'k'])).code).toBe(2);
  const vapid = await run(['keys', 'vapid', '--subject', 'mailto:ops@tocsin.example']);
  const pair = JSON.parse(readFileSync(join(folder, 'keys', 'vapid.json'), 'utf8'));
  expect(vapid.out).toContain(pair.publicKey);
  expect(vapid.out).not.toContain(pair.privateKey);
});

const subscription = (n: number) => ({
  deviceId: String(n).padStart(22, '0'),
  address: { transport: 'fcm', token: `token-${n}`.padEnd(30, 'x') },
  areaCodes: ['06088'],
  language: 'fr-FR',
  appVersion: '1',
});

test('devices import: batches of 500, wrong lines named and passed over', async () => {
  const edge = await serve(({ body }) => {
    const list = body as { subscription: { deviceId: string } }[];
    const refused = list.filter(({ subscription: { deviceId } }) => deviceId.endsWith('0601'));
    return {
      status: 200,
      body: {
        imported: list.length - refused.length,
        refused: refused.map((each) => ({
          deviceId: each.subscription.deviceId,
          message: 'bad origin',
        })),
      },
    };
  });
  const file = join(folder, 'devices.jsonl');
  const lines = Array.from({ length: 602 }, (_, i) => JSON.stringify(subscription(i)));
  writeFileSync(
    file,
    [...lines.slice(0, 3), '{', '', ...lines.slice(3), '{"deviceId":"x"}'].join('\n'),
  );
  const { code, out, err } = await run(['devices', 'import', file], { edges: [edge] });
  expect(code).toBe(1);
  expect(edge.calls.map(({ body }) => (Array.isArray(body) ? body.length : 0))).toEqual([500, 102]);
  expect(edge.calls[0]?.authorization).toBe('Bearer internal');
  expect(err).toContain('ligne 4 : ');
  expect(err).toContain('ligne 605 : deviceId');
  expect(err).toContain('bad origin');
  expect(out).toContain('601 inscrits, 3 refusés');
});

test('devices import: an import that was cut off says from which line to go on, and goes on there', async () => {
  let calls = 0;
  const edge = await serve(({ body }) => {
    calls++;
    if (calls > 1 && calls < 5) return { status: 503, body: {} };
    return { status: 200, body: { imported: Array.isArray(body) ? body.length : 0, refused: [] } };
  });
  const file = join(folder, 'devices.jsonl');
  writeFileSync(
    file,
    Array.from({ length: 700 }, (_, i) => JSON.stringify(subscription(i))).join('\n'),
  );
  const cut = await run(['devices', 'import', file], { edges: [edge] });
  expect([cut.code, cut.err]).toEqual([3, expect.stringContaining('--from-line 501')]);
  const rest = await run(['devices', 'import', file, '--from-line', '501'], { edges: [edge] });
  expect([rest.code, rest.out]).toEqual([0, expect.stringContaining('200 inscrits')]);
});

test.each([
  [['--help'], 0],
  [['send', '--help'], 0],
  [[], 2],
  [['raise'], 2],
  [['send'], 2],
  [['send', 'no-such-file.json'], 2],
  [['send', UPDATE], 2],
  [['update', ID, ALERT], 2],
  [['devices', 'import', 'no-such-file.jsonl', '--from-line', '0'], 2],
])('tocsin %j ends with exit code %i', async (args, expected) => {
  expect((await run(args)).code).toBe(expected);
});

test('an import of a file that is not there is a wrong command, not a crash', async () => {
  const edge = await serve(() => accepted());
  expect(
    (await run(['devices', 'import', join(folder, 'none.jsonl')], { edges: [edge] })).code,
  ).toBe(2);
});

test('help speaks the language that was asked for', async () => {
  expect((await run(['--help'])).out).toContain('Exemples :');
  expect((await run(['--help', '--lang', 'en'])).out).toContain('Exit codes:');
  for (const language of ['fr', 'en'])
    expect((await run(['cancel', '--help', '--lang', language])).out).toContain(
      'tocsin update ID deploy/examples/nice-all-clear.json',
    );
});

test('P9: the quarantine of every dispatcher is shown, and what one does not say is said', async () => {
  const transports = [
    {
      transport: 'fcm',
      count: 1200,
      oldest: '2026-07-14T20:00:00Z',
      newest: '2026-07-14T20:01:00Z',
    },
  ];
  const devices = [{ deviceId: 'd'.repeat(22), transport: 'fcm', at: '2026-07-14T20:01:00Z' }];
  const full = await serve(() => ({ status: 200, body: { v: 1, node: 'a', transports, devices } }));
  const empty = await serve(() => ({ status: 200, body: { transports: [], devices: [] } }));
  const { code, out } = await run(['quarantine', 'list'], { dispatchers: [full, empty] });
  expect(code).toBe(0);
  expect(out).toContain('Répartiteur a : fcm 1\u00a0200');
  expect(out).toContain('Répartiteur b : personne en quarantaine');
  expect(out).not.toContain('dddd');
  expect(full.calls[0]).toMatchObject({ method: 'GET', authorization: 'Bearer internal' });
  const all = await run(['quarantine', 'list', '--devices', '--lang', 'en'], {
    dispatchers: [{ url: 'http://127.0.0.1:9' }, full],
  });
  expect(all.code).toBe(3);
  expect(all.out).toContain('d'.repeat(22));
  expect(all.err).toContain('did not answer');
  expect((await run(['quarantine', 'list'])).code).toBe(2);
});

test('P9: a release goes to every dispatcher, as often as one has more', async () => {
  let remaining = 2;
  const one = await serve(() => ({
    status: 200,
    body: { judged: 5_000, removed: 0, remaining: remaining-- > 0 },
  }));
  const two = await serve(() => ({
    status: 200,
    body: { judged: 3, removed: 0, remaining: false },
  }));
  const { code, out } = await run(
    ['quarantine', 'release', '--transport', 'fcm', '--older-than', '2h', '--lang', 'en'],
    { dispatchers: [one, two] },
  );
  expect(code).toBe(0);
  expect(out).toContain('Dispatcher a: 15,000 released');
  expect(out).toContain('Dispatcher b: 3 released');
  expect(one.calls).toHaveLength(3);
  expect(two.calls[0]?.body).toEqual({
    action: 'release',
    transport: 'fcm',
    olderThan: '2026-07-14T18:31:07.000Z',
  });
  for (const wrong of [
    ['--transport', 'sms'],
    ['--older-than', 'yesterday'],
  ])
    expect((await run(['quarantine', 'release', ...wrong], { dispatchers: [one] })).code).toBe(2);
});

test('P9: people are removed only after a typed word, or --yes', async () => {
  const node = await serve(() => ({
    status: 200,
    body: { judged: 10, removed: 9, remaining: false },
  }));
  const dispatchers = [node];
  expect((await run(['quarantine', 'drop'], { dispatchers })).code).toBe(2);
  expect((await run(['quarantine', 'drop'], { dispatchers, typed: 'oui' })).code).toBe(2);
  expect(node.calls).toHaveLength(0);
  const { code, out } = await run(['quarantine', 'drop'], { dispatchers, typed: 'desinscrire' });
  expect(code).toBe(0);
  expect(out).toContain('9 désinscrits, 1 gardé');
  expect((await run(['quarantine', 'drop', '--yes'], { dispatchers })).code).toBe(0);
  expect(node.calls.map(({ body }) => body)).toEqual([{ action: 'drop' }, { action: 'drop' }]);
});
