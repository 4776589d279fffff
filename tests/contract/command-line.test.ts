import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { startCli } from '../../services/cli/start-cli.ts';
import { AcceptedAnswer } from '../../services/ingest/accept/accepted-answer.ts';
import { CancelRequest, UpdateRequest } from '../../services/ingest/accept/follow-up.ts';
import { ApiKeyFile } from '../../services/ingest/keys/api-keys.ts';
import { AlertProgress } from '../../services/ingest/progress/alert-progress.ts';
import { RouteProofs } from '../../services/ingest/progress/path-proofs.ts';
import { Alert } from '../../shared/alert/alert.ts';
import { readJsonFile } from '../../shared/config/read-file.ts';
import { listen } from '../../shared/http/listen.ts';
import { SAMPLE_SENT, sampleAlert } from '../support/sample-alert.ts';

const ID = 'a'.repeat(32);
const folder = mkdtempSync(join(tmpdir(), 'tocsin-contract-'));
afterAll(() => rmSync(folder, { recursive: true }));

const accepted: z.infer<typeof AcceptedAnswer> = {
  id: ID,
  identifier: 'nice-1',
  sender: 'pref06@alerte.example',
  sent: SAMPLE_SENT,
  status: 'Actual',
  msgType: 'Alert',
  durability: 'two-sites',
  storedBy: [{ site: 'a', lane: 'bus', node: 'a' }],
  audience: { total: 2000, counts: { fcm: 1000, 'web-push': 1000 } },
  links: {
    self: `/v1/alerts/${ID}`,
    cancel: `/v1/alerts/${ID}/cancel`,
    update: `/v1/alerts/${ID}/update`,
  },
};

const progress: AlertProgress = {
  id: ID,
  identifier: 'nice-1',
  state: 'done',
  issuedAt: '2026-07-14T20:31:08.000Z',
  expiresAt: '2026-07-14T22:31:07.000Z',
  alert: sampleAlert(),
  durability: null,
  storedBy: [],
  nodes: [
    {
      node: 'b',
      site: 'b',
      state: 'done',
      lanes: ['direct', 'bus'],
      receivedAt: '2026-07-14T20:31:08.020Z',
      transports: {
        fcm: {
          accepted: 600,
          gone: 0,
          rejected: 0,
          pending: 0,
          shardsOwn: 9,
          shardsByPeers: 7,
          shardsTotal: 16,
        },
      },
    },
    { node: 'a', site: 'a', state: 'no-answer', lanes: [], receivedAt: null, transports: {} },
  ],
  transports: {
    fcm: {
      audience: 1000,
      accepted: 1000,
      gone: 0,
      rejected: 0,
      pending: 0,
      firstAcceptedAt: '2026-07-14T20:31:08.050Z',
      lastAcceptedAt: '2026-07-14T20:31:08.900Z',
      timing: {
        from: 'issuedAt',
        counted: 1000,
        firstSeconds: 0.26,
        p50Seconds: 0.6,
        p95Seconds: 0.94,
        p99Seconds: 1.06,
        lastSeconds: 1.1,
      },
    },
  },
  probes: {
    received: 1,
    total: 2,
    afterSeconds: 1.1,
    known: [{ probe: 'a-fcm', transport: 'fcm', via: 'b', receivedAt: '2026-07-14T20:31:09.100Z' }],
  },
  deviceReceipts: { fcm: { shown: 990 } },
};

const routes: z.infer<typeof RouteProofs> = {
  routes: [
    {
      path: { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'fcm' },
      ageSeconds: 12,
      state: 'proved',
    },
  ],
};

/** Runs a command against something that answers exactly what ingest's own schemas say. */
async function runAgainstIngest(
  ...args: string[]
): Promise<{ code: number; out: string; bodies: unknown[] }> {
  const bodies: unknown[] = [];
  const listening = await listen(
    async (request, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      if (text !== '') bodies.push(JSON.parse(text));
      const answer =
        request.method === 'POST'
          ? AcceptedAnswer.parse(accepted)
          : request.url === '/v1/routes'
            ? RouteProofs.parse(routes)
            : AlertProgress.parse(progress);
      response.writeHead(request.method === 'POST' ? 202 : 200).end(JSON.stringify(answer));
    },
    { host: '127.0.0.1', port: 0 },
  );
  const config = join(folder, 'cli.json');
  writeFileSync(join(folder, 'key'), 'k');
  const file = {
    ingests: [{ name: 'a', url: `http://127.0.0.1:${listening.port}` }],
    keyFile: join(folder, 'key'),
  };
  writeFileSync(config, JSON.stringify(file));
  let out = '';
  const write = (text: string) => {
    out += text;
  };
  const code = await startCli([...args, '--config', config], {
    env: {},
    now: Date.now,
    sleep: () => Promise.resolve(),
    terminal: { out: write, err: write, isInteractive: false, columns: 100, ask: async () => '' },
  });
  listening.server.closeAllConnections();
  await listening.close();
  return { code, out, bodies };
}

test('what the command line sends is what ingest reads', async () => {
  const sent = await runAgainstIngest('send', 'deploy/examples/nice-alert.json');
  expect([sent.code, Alert.safeParse(sent.bodies[0]).error]).toEqual([0, undefined]);
  for (const file of ['nice-update.json', 'nice-all-clear.json']) {
    const { code, bodies } = await runAgainstIngest('update', ID, `deploy/examples/${file}`);
    expect([code, UpdateRequest.safeParse(bodies[0]).error]).toEqual([0, undefined]);
  }
  for (const rest of [[], ['deploy/examples/nice-cancel.json'], ['--reason', 'Erreur']]) {
    const { code, bodies } = await runAgainstIngest('cancel', ID, ...rest);
    expect([code, CancelRequest.safeParse(bodies[0]).error]).toEqual([0, undefined]);
  }
});

test('what ingest answers is what the command line shows', async () => {
  expect((await runAgainstIngest('status', ID)).out.split('\n')).toEqual([
    `Message ${ID} : envoi terminé`,
    '  fcm       1\u00a0000 sur 1\u00a0000 acceptés par le fournisseur',
    '            accepté après : premier 0,3 s, moitié 0,6 s, 95 % 0,9 s, 99 % 1,1 s, dernier 1,1 s',
    '  nœud b    envoi terminé : fcm 600',
    '  nœud a    ne répond pas',
    '  Reçue et vérifiée par 1 sonde sur 2 après 1,1 s',
    '  Appareils fcm : affichée 990',
    '',
  ]);
  const proved = await runAgainstIngest('routes');
  expect([proved.code, proved.out]).toEqual([0, expect.stringContaining('✓ a → bus → b → fcm')]);
});

test('a key that the command line makes is one that ingest takes', async () => {
  const path = join(folder, 'api-keys.json');
  await runAgainstIngest(
    'keys',
    'new-api',
    '--id',
    'pref06',
    '--sender',
    'pref06@alerte.example',
    '--territory',
    '06',
    '--statuses',
    'Actual,Exercise',
    '--append',
    path,
  );
  expect(readJsonFile(path, ApiKeyFile, 'keys').keys).toHaveLength(1);
});
