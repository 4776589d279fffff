import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterEach, expect, jest, test } from '@jest/globals';
import { makeAuthority, makeLocalhostCertificate } from '../../deploy/local/certificate.ts';
import { makeBadCertificates } from '../../tests/support/bad-certificates.ts';
import { eventually } from '../../tests/support/edge.ts';
import { createLogger } from '../log/logger.ts';
import { lookAtCertificate } from './look-at-certificate.ts';
import { watchCertificates } from './watch-certificates.ts';

jest.setTimeout(30_000);

const DAY_MS = 86_400_000;
const authority = makeAuthority(Date.now());
const good = makeLocalhostCertificate(authority, Date.now());
const log = createLogger('test', 'a', 'silent');

const servers: Server[] = [];
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const serve = (options: TlsOptions) =>
  listening(createTlsServer(options, (socket) => socket.on('error', () => undefined).resume()));
const look = (port: number, timeoutMs = 5_000) =>
  lookAtCertificate({ host: 'localhost', port, ca: authority.certificate }, { timeoutMs });
const keyOf = ({ certificate, privateKey }: typeof good) => ({
  cert: certificate,
  key: privateKey,
});

test('a good certificate shows its end, to the second', async () => {
  const { expiresAtMs, refusal } = await look(await serve(keyOf(good)));
  expect(refusal).toBeUndefined();
  expect(Math.abs(expiresAtMs - (Date.now() + 396 * DAY_MS))).toBeLessThan(60_000);
});

test('of a chain the part that ends first counts', async () => {
  // An authority of long ago, which ends in a hundred days: sooner than what it signed.
  const old = makeAuthority(Date.now() - 3_550 * DAY_MS);
  const leaf = makeLocalhostCertificate(old, Date.now());
  const cert = `${leaf.certificate}\n${old.certificate}`;
  const port = await serve({ cert, key: leaf.privateKey });
  const { expiresAtMs } = await lookAtCertificate(
    { host: 'localhost', port, ca: old.certificate },
    { timeoutMs: 5_000 },
  );
  expect(Math.abs(expiresAtMs - (Date.now() + 100 * DAY_MS))).toBeLessThan(60_000);
});

test('a certificate that nobody should trust is looked at too, and says why not', async () => {
  const bad = makeBadCertificates(authority, Date.now());
  const expired = await look(await serve(keyOf(bad.expired)));
  expect(expired.refusal).toBe('CERT_HAS_EXPIRED');
  expect(expired.expiresAtMs).toBeLessThan(Date.now());
  expect((await look(await serve(keyOf(bad['wrong-name'])))).refusal).toBe(
    'ERR_TLS_CERT_ALTNAME_INVALID',
  );
  const port = await serve(keyOf(makeLocalhostCertificate(makeAuthority(Date.now()), Date.now())));
  expect((await look(port)).refusal).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
});

test('P12: a server that says nothing is given up at the deadline; one that speaks no TLS at once', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined));
  await expect(look(await listening(silent), 100)).rejects.toThrow('no handshake in time');
  const clear = createServer((socket) =>
    socket.on('error', () => undefined).end('HTTP/1.1 400\r\n'),
  );
  await expect(look(await listening(clear))).rejects.toThrow();
});

test('an end that was seen is kept when the server goes away, and a refusal is told of', async () => {
  const stop = new AbortController();
  let seen = async () => ({ expiresAtMs: 5_000, refusal: undefined as string | undefined });
  const place = { name: 'tls-x', key: 'x', where: 'here', look: () => seen() };
  let nowMs = 1_000;
  const { states, running } = watchCertificates(
    () => [place],
    { everyMs: 0, againMs: 5 },
    { log, wallNow: () => nowMs, signal: stop.signal },
  );
  const known = {
    name: 'tls-x',
    kind: 'certificate',
    where: 'here',
    expiresAt: '1970-01-01T00:00:05.000Z',
    lastProvedAt: '1970-01-01T00:00:01.000Z',
  };
  stops.push(async () => {
    stop.abort();
    await running;
  });
  await eventually('it was seen', () => states().length === 1);
  expect(states()).toEqual([known]);
  let looks = 0;
  seen = async () => {
    looks++;
    throw new Error('away');
  };
  await eventually('it is away', () => looks > 3);
  expect(states()).toEqual([known]);
  nowMs = 2_000;
  seen = async () => ({ expiresAtMs: 5_000, refusal: 'CERT_HAS_EXPIRED' });
  await eventually('it is refused', () => states()[0]?.lastRefusedAt !== undefined);
  expect(states()).toEqual([{ ...known, lastRefusedAt: '1970-01-01T00:00:02.000Z' }]);
});

test('a place that was gone for a while is looked at as soon as it is back, however good it was', async () => {
  const stop = new AbortController();
  let places = [
    {
      name: 'tls-x',
      key: 'x',
      where: 'here',
      look: async () => ({ expiresAtMs: 5_000, refusal: undefined }),
    },
  ];
  const all = places;
  const { states, running } = watchCertificates(
    () => places,
    { everyMs: 900_000, againMs: 5 },
    { log, wallNow: Date.now, signal: stop.signal },
  );
  stops.push(async () => {
    stop.abort();
    await running;
  });
  await eventually('it was seen', () => states().length === 1);
  places = [];
  await eventually('it is gone', () => states().length === 0);
  places = all;
  await eventually('it was seen again', () => states().length === 1);
});
