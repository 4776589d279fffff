import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { expect, test } from '@jest/globals';
import { makeAuthority, makeLocalhostCertificate } from './certificate.ts';

const now = Date.now();
const authority = makeAuthority(now);
const server = makeLocalhostCertificate(authority, now);

test('the certificate names localhost and loopback, and is signed by the authority', () => {
  const leaf = new X509Certificate(server.certificate);
  const ca = new X509Certificate(authority.certificate);
  expect(ca.ca).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.checkHost('localhost')).toBe('localhost');
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(leaf.checkIP('::1')).toBe('::1');
  expect(leaf.checkHost('example.org')).toBeUndefined();
});

test("a server's certificate lives less than the 398 days that browsers allow", () => {
  const leaf = new X509Certificate(server.certificate);
  const days = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 86_400_000;
  expect(days).toBeLessThan(398);
  expect(Date.parse(leaf.validFrom)).toBeLessThan(now);
});

test('a TLS client that trusts the authority connects, one that does not refuses', async () => {
  const listening = createServer({ key: server.privateKey, cert: server.certificate }).listen(
    0,
    '127.0.0.1',
  );
  try {
    await new Promise((resolve) => listening.once('listening', resolve));
    const { port } = listening.address() as AddressInfo;
    const handshake = (ca: string | undefined) =>
      new Promise<string>((resolve) => {
        const socket = connect({
          port,
          host: '127.0.0.1',
          servername: 'localhost',
          ...(ca === undefined ? {} : { ca }),
        });
        socket.once('secureConnect', () => {
          socket.destroy();
          resolve('connected');
        });
        socket.once('error', (error: NodeJS.ErrnoException) =>
          resolve(error.code ?? error.message),
        );
      });
    expect(await handshake(authority.certificate)).toBe('connected');
    expect(await handshake(undefined)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  } finally {
    listening.close();
  }
});
