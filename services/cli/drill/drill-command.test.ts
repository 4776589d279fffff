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
  switch (`${request.method} ${request.url}`) {
    case 'GET /v1/alerts/recent': {
      const alert = { status: 'Actual', msgType: 'Alert', info: [{}] };
      return { v: 1, alerts: state.live ? [{ id: 'a1', state: 'active', alert }] : [] };
    }
    case 'GET /v1/paths':
      return { paths: [{ name: 'a:bus:a:fcm', path: PATH, state: state.path, ageSeconds: 0 }] };
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

function probe(isDeaf: boolean) {
  const deafUntil = isDeaf ? '2026-07-14T20:00:00.000Z' : null;
  const deviceId = 'd'.repeat(22);
  return { name: 'a-fcm', transport: 'fcm', deviceId, connected: !isDeaf, deafUntil };
}

async function run(args: readonly string[], changes: object = {}, typed?: string) {
  const url = `http://127.0.0.1:${system.port}`;
  const nodes = [{ name: 'a', site: 'a', url }];
  const bounce = `fetch('${url}/bounce').then((r) => r.text()).then((t) => process.exit('{service} {node}' === 'dispatcher a' ? 0 : 3))`;
  const file = {
    ingests: nodes,
    dispatchers: nodes,
    edges: nodes,
    canaries: nodes,
    internalTokenFile: join(folder, 'token'),
    restartCommand: [process.execPath, '-e', bounce],
    ...changes,
  };
  const config = join(folder, 'cli.json');
  writeFileSync(config, JSON.stringify(file));
  const said = { out: '', err: '' };
  const code = await startCli(['drill', ...args, '--config', config], {
    env: { LANG: 'C.UTF-8', USER: 'marie' },
    now: Date.now,
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
