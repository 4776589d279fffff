import { expect, test } from '@jest/globals';
import { listen } from '../../shared/http/listen.ts';
import { Health } from '../../shared/lifecycle/health.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { createDispatcherApp } from './http-app.ts';
import { Journal } from './journal.ts';
import { Registry } from './registry.ts';

const ID = '0123456789abcdef0123456789abcdef';
const TOKEN = 'internal-token';

async function withApp(work: (url: string, journal: Journal) => Promise<void>): Promise<void> {
  const journal = new Journal(':memory:');
  const registry = new Registry(':memory:');
  const health = new Health();
  health.started();
  health.add({ name: 'own canary', check: () => false });
  const app = createDispatcherApp({
    log: createLogger('dispatcher', 'a', 'silent'),
    health,
    metrics: createMetricsRegistry('dispatcher', 'a'),
    node: 'a',
    site: 'a',
    token: TOKEN,
    takeAlert: async () => 'stored',
    takeReceipt: () => undefined,
    takeProofs: () => undefined,
    traceOf: () => undefined,
    dispatch: { progress: () => undefined },
    journal,
    registry,
    snapshots: { admit: () => undefined, send: async () => undefined },
    credentials: () => ({
      v: 1,
      node: 'a',
      credentials: [{ name: 'vapid-mozilla', kind: 'push-key', where: 'dispatcher a' }],
    }),
    quarantine: { list: (node) => ({ v: 1, node, transports: [], devices: [] }) },
    judge: async ({ action }) => ({
      v: 1,
      node: 'a',
      action,
      judged: 0,
      removed: 0,
      remaining: false,
    }),
  });
  const http = await listen(app, { host: '127.0.0.1', port: 0 });
  try {
    await work(`http://127.0.0.1:${http.port}`, journal);
  } finally {
    await http.close();
    journal.close();
    registry.close();
  }
}

test('P2: the envelope of an alert is handed out as it was signed, to whom has the token, and only if it is there', async () => {
  await withApp(async (url, journal) => {
    const jws = 'e30.e30.c2lnbmF0dXJl';
    journal.insert({
      id: ID,
      jws,
      contentHash: 'hash',
      audience: 'public',
      receivedAtMs: 0,
      expiresAtMs: 1,
      state: 'expired',
      arrivals: ['direct'],
    });
    const get = (id: string, token = TOKEN) =>
      fetch(`${url}/v1/alerts/${id}/envelope`, { headers: { authorization: `Bearer ${token}` } });
    const found = await get(ID);
    expect(found.headers.get('content-type')).toMatch(/^application\/jose/);
    expect(await found.text()).toBe(jws);
    const others = [await get('f'.repeat(32)), await get('no-id'), await get(ID, 'wrong')];
    expect(others.map(({ status }) => status)).toEqual([404, 400, 401]);
  });
});

test('P1: readiness is for who watches: a dispatcher that waits for its own canary takes alerts, receipts and proofs', async () => {
  await withApp(async (url) => {
    const post = (path: string, type: string, body: string) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': type },
        body,
      });
    const ready = await fetch(`${url}/ready`);
    expect(await ready.json()).toEqual({ ready: false, unready: ['own canary'] });
    const intake = await post('/v1/intake', 'application/jose', 'e30.e30.c2lnbmF0dXJl');
    expect(await intake.json()).toEqual({ v: 1, result: 'stored', site: 'a', node: 'a' });
    const receipts = await post('/v1/receipts', 'application/json', '[]');
    const report = JSON.stringify({ v: 1, canary: 'a', proofs: [] });
    const proofs = await post('/v1/proofs', 'application/json', report);
    expect([receipts.status, proofs.status]).toEqual([204, 204]);
  });
});
