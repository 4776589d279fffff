import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterEach, expect, jest, test } from '@jest/globals';
import { makeAuthority, makeLocalhostCertificate } from '../../../deploy/local/certificate.ts';
import { createApp, finishApp } from '../../../shared/http/app.ts';
import { requireToken } from '../../../shared/http/bearer.ts';
import { listen } from '../../../shared/http/listen.ts';
import { Health } from '../../../shared/lifecycle/health.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import type { CredentialReport } from '../../../shared/receipt/credential.ts';
import { eventually } from '../../../tests/support/edge.ts';
import { certificatePlaces } from './certificate-places.ts';
import { lookAtNatsCertificate } from './nats-certificate.ts';
import { startCredentials } from './start-credentials.ts';

jest.setTimeout(30_000);

const DAY_MS = 86_400_000;
const log = createLogger('canary', 'a', 'silent');
const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function dispatcher(report: () => unknown) {
  const app = createApp({ log, health: new Health(), metrics: createMetricsRegistry('d', 'a') });
  app.get('/v1/credentials', requireToken('token'), (_request, response) => {
    response.json(report());
  });
  finishApp(app, log);
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  ends.push(() => listening.close());
  return { name: 'a', site: 'a', url: `http://127.0.0.1:${listening.port}` };
}

test('a dispatcher’s word is gathered beside what the canary has proved itself, what ends first comes first', async () => {
  const told: CredentialReport = {
    v: 1,
    node: 'a',
    credentials: [
      { name: 'vapid-mozilla', kind: 'push-key', where: 'dispatcher a' },
      {
        name: 'tls-fcm',
        kind: 'certificate',
        where: 'dispatcher a',
        expiresAt: '2026-08-01T00:00:00.000Z',
      },
    ],
  };
  const stop = new AbortController();
  const registry = createMetricsRegistry('canary', 'a');
  const peer = await dispatcher(() => told);
  const { states, running } = startCredentials(
    {
      nodeName: 'a',
      ingests: [{ ...peer, url: 'http://127.0.0.1:1' }],
      dispatchers: [peer],
      edges: [],
      canaries: [],
      natsSites: [],
      autopushUrl: 'ws://127.0.0.1:1/',
      deadmanUrl: undefined,
    },
    {
      registry,
      log,
      wallNow: () => 60_000,
      internalToken: 'token',
      newestProofAgeMs: () => 10_000,
      signal: stop.signal,
    },
  );
  ends.push(async () => {
    stop.abort();
    await running;
  });
  await eventually('the dispatcher has told', () => states().length === 4);
  expect(states().map(({ name }) => name)).toEqual([
    'tls-fcm',
    'api-key-canary-a',
    'signing-key-canary',
    'vapid-mozilla',
  ]);
  expect(states()[2]).toMatchObject({ lastProvedAt: '1970-01-01T00:00:50.000Z' });
  // Who told it shows it in its own metrics.
  const metrics = await registry.metrics();
  expect(metrics).not.toContain('tls-fcm');
  expect(metrics).toMatch(
    /credential_last_accepted_timestamp_seconds\{credential="signing-key-canary".* 50\n/,
  );
});

test('only addresses that speak TLS are looked at', () => {
  const peer = (name: string, url: string) => ({ kind: 'ingest', peer: { name, site: name, url } });
  const places = certificatePlaces({
    canary: 'a',
    peers: [peer('a', 'https://ingest-a.example'), peer('b', 'http://10.0.0.2:8401')],
    natsSites: [
      {
        site: 'a',
        url: 'tls://n1.example:4222,tls://n2.example:4222',
        monitorUrl: 'http://n1.example:8222',
        replicas: 3,
      },
      { site: 'b', url: 'nats://n3.example', monitorUrl: 'https://n3.example:8222', replicas: 1 },
    ],
    others: { autopush: 'wss://push.example/', 'dead-man': undefined },
  });
  expect(places.map(({ name, key }) => [name, key])).toEqual([
    ['tls-ingest-a', 'tls-ingest-a ingest-a.example:443'],
    ['tls-nats-a', 'nats n1.example:4222'],
    ['tls-nats-a', 'nats n2.example:4222'],
    ['tls-nats-monitor-b', 'tls-nats-monitor-b n3.example:8222'],
    ['tls-autopush', 'tls-autopush push.example:443'],
  ]);
});

test('the certificate behind an https address is seen by a real handshake', async () => {
  const authority = makeAuthority(Date.now());
  const { certificate, privateKey } = makeLocalhostCertificate(authority, Date.now());
  const server = createServer({ cert: certificate, key: privateKey });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const url = `https://localhost:${port}`;
  const peer = { name: 'a', site: 'a', url };
  const [place] = certificatePlaces({
    canary: 'a',
    peers: [{ kind: 'edge', peer }],
    natsSites: [],
    others: {},
  });
  const seen = await place?.look(AbortSignal.timeout(5_000));
  // Nobody told this process of the authority.
  expect(seen?.refusal).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
  expect(Math.round(((seen?.expiresAtMs ?? 0) - Date.now()) / DAY_MS)).toBe(396);
});

test('NATS begins TLS after its first line; one that says too much in clear is given up', async () => {
  const authority = makeAuthority(Date.now());
  const { certificate, privateKey } = makeLocalhostCertificate(authority, Date.now());
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('INFO {"server_id":"x","tls_required":true}\r\n');
    const secure = new TLSSocket(socket, { isServer: true, cert: certificate, key: privateKey });
    secure.on('error', () => undefined).resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const limits = { timeoutMs: 5_000, signal: AbortSignal.timeout(10_000) };
  const at = { host: 'localhost', port, ca: authority.certificate };
  const seen = await lookAtNatsCertificate(at, limits);
  expect(seen.refusal).toBeUndefined();
  expect(Math.round((seen.expiresAtMs - Date.now()) / DAY_MS)).toBe(396);

  const endless = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('x'.repeat(100_000));
  });
  await once(endless.listen(0, '127.0.0.1'), 'listening');
  ends.push(() => endless.close());
  const { port: other } = endless.address() as AddressInfo;
  await expect(lookAtNatsCertificate({ host: 'localhost', port: other }, limits)).rejects.toThrow(
    'not a NATS server',
  );
});
