import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CertifiedKey, makeAuthority } from '../../deploy/local/certificate.ts';
import { makeBadCertificates } from '../../tests/support/bad-certificates.ts';
import { connectProvider } from '../../tests/support/sandbox-client.ts';
import { startTestSandbox, type TestSandbox } from '../../tests/support/sandbox-tls.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.destroy());

const faults = async (fcm: unknown) => {
  const answer = await fetch(`${sandbox.controlUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fcm }),
  });
  expect(answer.status).toBe(200);
};
const PATH = '/v1/projects/tocsin-test/messages:send';

test('a sender may open 100 streams on one connection', async () => {
  const client = connectProvider(sandbox);
  await once(client.session, 'remoteSettings');
  expect(client.session.remoteSettings.maxConcurrentStreams).toBe(100);
  client.close();
});

test('HTTP/1.1 is answered too', async () => {
  const outgoing = request(sandbox.origin + PATH, { method: 'POST', ca: sandbox.caPem });
  outgoing.end('{}');
  const [response] = await once(outgoing, 'response');
  expect([response.httpVersion, response.statusCode]).toEqual(['1.1', 401]);
  response.resume();
});

test('GOAWAY: the stream is answered, the connection takes no more', async () => {
  await faults({ goawayEvery: 1 });
  const client = connectProvider(sandbox);
  const goaway = once(client.session, 'goaway');
  expect((await client.post(PATH, {}, '{}')).status).toBe(401);
  expect((await goaway)[0]).toBe(0);
  client.close();
});

test('reset: the connection dies without an answer', async () => {
  await faults({ resetEvery: 1 });
  const client = connectProvider(sandbox);
  const [error] = await Promise.all([
    new Promise<NodeJS.ErrnoException>((resolve) => client.session.once('error', resolve)),
    expect(client.post(PATH, {}, '{}')).rejects.toThrow(),
  ]);
  expect(error.code).toBe('ECONNRESET');
});

test('abrupt GOAWAY: it leaves out the request at which it came, and what was in flight dies with the connection', async () => {
  await faults({ abruptGoawayEvery: 3, latencyMs: 500 });
  const client = connectProvider(sandbox);
  await once(client.session, 'remoteSettings');
  const closed = new Promise((resolve) => client.session.once('close', resolve));
  const goaway = once(client.session, 'goaway').catch(() => []);
  let answers = 0;
  const ends = [1, 2, 3, 4].map(() => {
    const stream = client.session.request({ ':method': 'POST', ':path': PATH });
    stream.on('response', () => answers++);
    stream.on('error', () => undefined);
    stream.end('{}');
    return new Promise((resolve) => stream.once('close', resolve));
  });
  const [code, lastStreamId] = await goaway;
  await Promise.all([closed, ...ends]);
  await faults({});
  // INTERNAL_ERROR. Requests are counted over all tests, so the third may be any of the first three.
  expect(code).toBe(2);
  expect([1, 3, 5]).toContain(Number(lastStreamId) + 2);
  expect(answers).toBe(0);
});

test('abrupt GOAWAY over HTTP/1.1: the connection ends without an answer', async () => {
  await faults({ abruptGoawayEvery: 1 });
  const outgoing = request(sandbox.origin + PATH, { method: 'POST', ca: sandbox.caPem });
  outgoing.end('{}');
  await expect(once(outgoing, 'response')).rejects.toThrow(/socket hang up/);
});

test('trickle: each byte of the body is a frame of its own, long after the headers', async () => {
  await faults({ trickleMs: 2 });
  const client = connectProvider(sandbox);
  const stream = client.session.request({ ':method': 'POST', ':path': PATH });
  stream.end('{}');
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [headers] = await once(stream, 'response');
  expect([headers[':status'], chunks.length]).toEqual([401, 0]);
  await once(stream, 'end');
  const body = Buffer.concat(chunks);
  expect(body.length).toBe(Number(headers['content-length']));
  expect(JSON.parse(body.toString())).toMatchObject({ error: { code: 401 } });
  expect(chunks.length).toBeGreaterThan(body.length / 4);
  client.close();
});

test('trickle over HTTP/1.1: the head comes byte by byte too', async () => {
  await faults({ trickleMs: 1 });
  const socket = connect({
    port: sandbox.httpsPort,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: sandbox.caPem,
    ALPNProtocols: ['http/1.1'],
  });
  await once(socket, 'secureConnect');
  socket.write(`POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}`);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  const text = Buffer.concat(chunks).toString();
  expect(text).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n.*connection: close\r\n\r\n\{.*\}$/s);
  expect(chunks.length).toBeGreaterThan(text.length / 4);
  socket.destroy();
  await faults({});
});

/** Another sandbox, whose FCM has a port of its own and which has certificates that nobody should trust. */
async function startWithBadCertificates() {
  const { config, caPem, serviceAccount } = sandbox;
  const pem = ({ privateKey, certificate }: CertifiedKey) => ({
    keyPem: privateKey,
    certPem: certificate,
  });
  const bad = makeBadCertificates(makeAuthority(Date.now()), Date.now());
  return startTestSandbox({
    caPem,
    serviceAccount,
    config: {
      ...config,
      dataDir: mkdtempSync(join(tmpdir(), 'tocsin-certificates-')),
      httpsPort: 0,
      fcmHttpsPort: 0,
      wsPort: 0,
      controlPort: 0,
      mcsPort: 0,
      unifiedPushPort: 0,
      badCertificates: { expired: pem(bad.expired), 'wrong-name': pem(bad['wrong-name']) },
    },
  });
}

/** Who the port says it is. */
async function shownBy(port: number): Promise<PeerCertificate> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const shown = socket.getPeerCertificate();
  socket.destroy();
  return shown;
}

test('certificate: FCM’s own port shows the bad one to whoever connects, ends who was connected, and goes back; Web Push keeps its own', async () => {
  const other = await startWithBadCertificates();
  try {
    const { fcmHttpsPort = 0, httpsPort } = other.ports;
    const put = (fcm: unknown) =>
      fetch(`${other.controlUrl}/faults`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ fcm }),
      });
    expect((await shownBy(fcmHttpsPort)).subjectaltname).toMatch(/DNS:localhost/);
    const socket = connect({ port: fcmHttpsPort, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.on('error', () => undefined);
    const ended = once(socket, 'close');
    socket.resume();
    await put({ certificate: 'expired' });
    await ended;
    const expired = await shownBy(fcmHttpsPort);
    expect(Date.parse(expired.valid_to)).toBeLessThan(Date.now());
    expect(Date.parse((await shownBy(httpsPort)).valid_to)).toBeGreaterThan(Date.now());
    await put({ certificate: 'wrong-name' });
    expect((await shownBy(fcmHttpsPort)).subjectaltname).toBe('DNS:elsewhere.example');
    await put({});
    expect((await shownBy(fcmHttpsPort)).subjectaltname).toMatch(/DNS:localhost/);
  } finally {
    await other.destroy();
  }
});

test('a certificate that the sandbox has not got is refused with what to do', async () => {
  const answer = await fetch(`${sandbox.controlUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"webPush":{"certificate":"expired"}}',
  });
  expect(answer.status).toBe(409);
  expect(await answer.json()).toMatchObject({ action: expect.stringMatching(/TLS_EXPIRED_FILE/) });
});

test('hang: no answer comes, and stopping the sandbox is not held up by it', async () => {
  await faults({ hang: true });
  const client = connectProvider(sandbox);
  const answer = client.post(PATH, {}, '{}').then(
    () => 'answered',
    () => 'cut',
  );
  const waited = new Promise((resolve) => setTimeout(() => resolve('nothing'), 100));
  expect(await Promise.race([answer, waited])).toBe('nothing');
  await faults({});
  client.close();
  expect(await answer).toBe('cut');
});

test('latency: the answer waits', async () => {
  await faults({ latencyMs: 80 });
  const client = connectProvider(sandbox);
  const before = performance.now();
  await client.post(PATH, {}, '{}');
  expect(performance.now() - before).toBeGreaterThan(75);
  client.close();
});

test('what no provider has is 404; wrong switches are refused with the field', async () => {
  const client = connectProvider(sandbox);
  expect((await client.post('/nothing', {}, '')).status).toBe(404);
  client.close();
  const answer = await fetch(`${sandbox.controlUrl}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"fcm":{"goneShare":2}}',
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ errors: [{ field: 'fcm.goneShare' }] });
});
