import { once } from 'node:events';
import { request } from 'node:https';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
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
