import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Listening, listen } from '../../../shared/http/listen.ts';
import { type DrillRecord, drillKey } from '../../../shared/receipt/drill.ts';
import { startCli } from '../start-cli.ts';

const PATH = { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'fcm' };

/** All that a restart asks of a system, in one server: canary, edge and dispatcher. */
let system: Listening;
let state: {
  path: 'proved' | 'late';
  live: boolean;
  processStart: number;
  kept: DrillRecord[];
  /** Becomes live at the restart: a real alert in the middle of a drill. */
  alertAtRestart: boolean;
  /** Another drill is under way. */
  deaf: boolean;
  /** Through which dispatcher the one path leads. */
  dispatcher: string;
  /** Messages of a correction that were sent, and one of them that no probe hears. */
  sent: string[];
  unheard: string | undefined;
};
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-drill-'));
  state = {
    path: 'proved',
    live: false,
    processStart: 1,
    kept: [],
    alertAtRestart: false,
    deaf: false,
    dispatcher: 'a',
    sent: [],
    unheard: undefined,
  };
  system = await listen(
    async (request, response) => {
      const answer = await answerTo(request);
      response.writeHead(answer === undefined ? 204 : 200, { 'content-type': 'application/json' });
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    },
    { host: '127.0.0.1', port: 0 },
  );
  writeFileSync(join(folder, 'token'), 'internal');
});
afterEach(async () => {
  system.server.closeAllConnections();
  await system.close();
  rmSync(folder, { recursive: true });
});

async function answerTo(request: IncomingMessage): Promise<unknown> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const [, id, action] = /^\/v1\/alerts\/?([0-9a-f]{32})?\/?(\w+)?$/.exec(request.url ?? '') ?? [];
  if (action === 'witnesses') return { v: 1, canary: 'a', probes: 1, witnesses: witnessesOf(id) };
  if (request.method === 'POST' && request.url?.startsWith('/v1/alerts'))
    return accepted(action ?? 'alert', JSON.parse(body));
  switch (`${request.method} ${request.url}`) {
    case 'GET /v1/alerts/recent': {
      const alert = { status: 'Actual', msgType: 'Alert', info: [{}] };
      return { v: 1, alerts: state.live ? [{ id: 'a1', state: 'active', alert }] : [] };
    }
    case 'GET /v1/paths':
      return { paths: [pathThrough(state.dispatcher)] };
    case 'GET /v1/probes':
      return { v: 1, canary: 'a', probes: [probe(state.deaf)] };
    case 'GET /metrics':
      return `# HELP x\nprocess_start_time_seconds{service="dispatcher",node="a"} ${state.processStart}\n`;
    case 'GET /ready':
      return { ready: true };
    case 'GET /v1/drills':
      return { v: 1, drills: state.kept };
    case 'POST /v1/drills':
      state.kept.push(JSON.parse(body));
      return undefined;
    case 'GET /bounce':
      state.processStart++;
      state.live = state.alertAtRestart;
      return {};
    default:
      throw new Error(`asked for ${request.url}`);
  }
}

function pathThrough(dispatcher: string) {
  const path = { ...PATH, dispatcher };
  return { name: `a:bus:${dispatcher}:fcm`, path, state: state.path, ageSeconds: 0 };
}

/** The message's id counts how many were sent before it. */
function accepted(what: string, { identifier = '' }: { identifier?: string }) {
  const id = String(state.sent.push(what)).padStart(32, '0');
  const head = { id, identifier, sender: 's', sent: 's', status: 'Test', msgType: 'Alert' };
  return { ...head, durability: 'two-sites', storedBy: [], audience: null, links: { self: id } };
}

function witnessesOf(id = '') {
  const what = state.sent[Number(id) - 1] ?? '';
  const receivedAt = '2026-07-14T20:00:00.000Z';
  const heard = { alertId: id, probe: 'a-fcm', transport: 'fcm', via: 'a', receivedAt };
  return what === state.unheard ? [] : [heard];
}

function probe(isDeaf: boolean) {
  const deafUntil = isDeaf ? '2026-07-14T20:00:00.000Z' : null;
  const deviceId = 'd'.repeat(22);
  return { name: 'a-fcm', transport: 'fcm', deviceId, connected: !isDeaf, deafUntil };
}

/** `speed`: how many times as fast as ours the command's clock goes. */
async function run(args: readonly string[], changes: object = {}, typed?: string, speed = 1) {
  const url = `http://127.0.0.1:${system.port}`;
  const nodes = [{ name: 'a', site: 'a', url }];
  const bounce = `fetch('${url}/bounce').then((r) => r.text()).then((t) => process.exit('{service} {node}' === 'dispatcher a' ? 0 : 3))`;
  const file = {
    ingests: nodes,
    dispatchers: nodes,
    edges: nodes,
    canaries: nodes,
    internalTokenFile: join(folder, 'token'),
    drillKeyFile: join(folder, 'token'),
    restartCommand: [process.execPath, '-e', bounce],
    ...changes,
  };
  const config = join(folder, 'cli.json');
  writeFileSync(config, JSON.stringify(file));
  const said = { out: '', err: '' };
  const startMs = Date.now();
  const code = await startCli(['drill', ...args, '--config', config], {
    env: { LANG: 'C.UTF-8', USER: 'marie' },
    now: () => startMs + (Date.now() - startMs) * speed,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20))),
    terminal: {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      isInteractive: typed !== undefined,
      columns: 100,
      ask: async () => typed ?? '',
    },
  });
  return { code, ...said };
}

test('a restart by the operator’s own command is asked for, measured step by step, recorded, and said in plain words', async () => {
  const { code, out } = await run(['restart'], {}, 'exercice');
  expect(code).toBe(0);
  expect(out).toContain('dispatcher du nœud a est redémarré');
  expect(out).toMatch(/Le nouveau processus répond, après .* s\n.*Il est prêt/);
  expect(out).toContain('Exercice « redémarrage » : réussi');
  expect(out).toContain('Noté par 1 veilleur(s) sur 1.');
  expect(state.kept).toMatchObject([{ kind: 'restart', ok: true, by: 'marie' }]);
});

test('who does not type the word, and a script without --yes, does nothing', async () => {
  for (const typed of ['oui', undefined]) {
    const { code, err } = await run(['restart'], {}, typed);
    expect(code).toBe(2);
    expect(err).toContain('Rien n’a été fait');
  }
  expect(state).toMatchObject({ processStart: 1, kept: [] });
});

test('a drill that fails is recorded too: exit code 1, and what went wrong', async () => {
  const restartCommand = [process.execPath, '-e', 'process.exit(4)'];
  const { code, err } = await run(['restart', '--yes', '--lang', 'en'], { restartCommand });
  expect(code).toBe(1);
  expect(err).toContain('The drill “restart” failed');
  expect(state.kept).toMatchObject([
    { ok: false, measures: {}, note: expect.stringContaining('ended with 4') },
  ]);
});

test('a real alert in the middle ends a drill, and the record says so', async () => {
  state.alertAtRestart = true;
  const { code, out } = await run(['restart', '--yes', '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(out).record).toMatchObject({
    ok: false,
    note: 'ended because a real alert came (a1)',
  });
});

test.each<[string, Partial<typeof state>, object, number, RegExp]>([
  ['a path is not proved', { path: 'late' }, {}, 1, /1 chemins sur 1 ne sont pas prouvés/],
  ['an alert is under way', { live: true }, {}, 1, /Une alerte est en cours \(a1\)/],
  ['another drill makes a probe deaf', { deaf: true }, {}, 1, /a-fcm n’entend rien/],
  ['no canary is named', {}, { canaries: [] }, 2, /aucun veilleur/],
  ['no edge can say whether an alert is under way', {}, { edges: [] }, 3, /Aucun edge ne répond/],
  ['nothing says how to restart', {}, { restartCommand: undefined }, 2, /restartCommand/],
])('nothing is done when %s', async (_what, changes, file, exitCode, message) => {
  Object.assign(state, changes);
  const { code, err } = await run(['restart', '--yes'], file);
  expect(code).toBe(exitCode);
  expect(err).toMatch(message);
  expect(state).toMatchObject({ processStart: 1, kept: [] });
});

test('a restarted dispatcher that no path leads through was not proved by that', async () => {
  state.dispatcher = 'b';
  expect((await run(['restart', '--yes'], {}, undefined, 100)).code).toBe(1);
  expect(state.kept).toMatchObject([{ ok: false, measures: {} }]);
  expect(state.kept[0]?.note).toContain('its paths were not proved');
});

test.each(['alert', 'update', 'cancel'])(
  'a correction whose %s a probe did not hear has failed; it is taken back all the same',
  async (what) => {
    state.unheard = what;
    expect((await run(['correction'], {}, undefined, 50)).code).toBe(1);
    expect(new Set(state.sent)).toContain('cancel');
    expect(state.kept).toMatchObject([{ kind: 'correction', ok: false, measures: {} }]);
    expect(state.kept[0]?.note).toContain(`a-fcm did not hear the ${what}`);
  },
);

test('a correction that every probe heard has passed, on every path', async () => {
  expect((await run(['correction', '--lang', 'en'])).code).toBe(0);
  expect([...state.sent].sort()).toEqual([
    'alert',
    'alert',
    'cancel',
    'cancel',
    'update',
    'update',
  ]);
  expect(state.kept).toMatchObject([{ kind: 'correction', ok: true }]);
  expect(state.kept[0]?.note).toContain('cancelled on 2 of 2 paths of ingest a');
});

test('a canary is given what it missed of what others have kept', async () => {
  const earlier: DrillRecord = {
    v: 1,
    kind: 'restore',
    startedAt: '2026-07-14T20:00:00.000Z',
    endedAt: '2026-07-14T20:00:10.000Z',
    ok: true,
    measures: { toRecoverySeconds: 10 },
    by: 'paul',
  };
  const kept: DrillRecord[] = [earlier];
  const other = await listen(
    async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      if (request.method === 'POST') kept.push(JSON.parse(body));
      const answers: Record<string, unknown> = {
        '/v1/drills': { v: 1, drills: kept },
        '/v1/probes': { v: 1, canary: 'b', probes: [] },
        '/v1/paths': {
          paths: [{ name: 'a:bus:a:fcm', path: PATH, state: 'proved', ageSeconds: 0 }],
        },
      };
      const answer = answers[request.url ?? ''];
      response
        .writeHead(request.method === 'POST' ? 204 : 200)
        .end(request.method === 'POST' ? undefined : JSON.stringify(answer));
    },
    { host: '127.0.0.1', port: 0 },
  );
  const canaries = [
    { name: 'a', url: `http://127.0.0.1:${system.port}` },
    { name: 'b', url: `http://127.0.0.1:${other.port}` },
    { name: 'c', url: `http://127.0.0.1:${other.port}` },
  ];
  const { code, out } = await run(['restart', '--yes', '--lang', 'en'], { canaries });
  expect(code).toBe(0);
  expect(out).toContain('Kept by 3 of 3 canaries.');
  expect(state.kept.map(drillKey)).toContain(drillKey(earlier));
  await other.close();
});

test('help is in both languages, and a wrong option says what there is', async () => {
  const french = await run(['--help']);
  expect(french.out).toContain('exercices sur un système vivant');
  expect((await run(['correction', '--help', '--lang', 'en'])).out).toContain(
    'test, update and cancel to the probes alone',
  );
  expect((await run(['restart', '--service', 'nats'])).err).toContain(
    'dispatcher, ingest, edge, canary',
  );
  expect((await run(['restart', '--node', 'z'])).err).toContain('--node');
  expect((await run(['dead-receiver', '--transport', 'sms'])).err).toContain('fcm, web-push');
});
