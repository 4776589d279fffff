import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  connectFcmSender,
  connectReceiver,
  type ProviderClient,
} from '../../tests/support/sandbox-client.ts';
import { startTestSandbox, type TestSandbox } from '../../tests/support/sandbox-tls.ts';

let sandbox: TestSandbox;
let client: ProviderClient;
let bearer: string;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  ({ client, bearer } = await connectFcmSender(sandbox));
});
afterAll(async () => {
  client.close();
  await sandbox.destroy();
});

const control = async (path: string, method = 'GET', json?: unknown) =>
  (
    await fetch(sandbox.controlUrl + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    })
  ).json() as Promise<Record<string, unknown>>;
const newToken = async () => String((await control('/fcm/tokens', 'POST'))['token']);
const setState = async (token: string, state: string) => {
  await fetch(`${sandbox.controlUrl}/fcm/tokens/${encodeURIComponent(token)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ state }),
  });
};
const batch = (change: 'Add' | 'Remove', topic: string, tokens: readonly string[], headers = {}) =>
  client.post(
    `/iid/v1:batch${change}`,
    {
      authorization: bearer,
      access_token_auth: 'true',
      'content-type': 'application/json',
      ...headers,
    },
    JSON.stringify({ to: topic, registration_tokens: tokens }),
  );
const send = (topic: string) =>
  client.post(
    '/v1/projects/tocsin-test/messages:send',
    { authorization: bearer, 'content-type': 'application/json' },
    JSON.stringify({ message: { topic, data: { alert: topic, via: 'a' } } }),
  );
const topicsOf = async (token: string) =>
  (await control(`/fcm/tokens/${encodeURIComponent(token)}/topics`))['topics'];

test('membership has a result for each token, in order, in the words of the Instance ID service', async () => {
  const [good, dead, foreign] = [await newToken(), await newToken(), await newToken()];
  await setState(dead, 'unregistered');
  await setState(foreign, 'sender-id-mismatch');
  const unknown = 'x'.repeat(40);
  const reply = await batch('Add', '/topics/words', [good, dead, unknown, 'short', foreign]);
  expect(reply).toMatchObject({
    status: 200,
    body: {
      results: [
        {},
        { error: 'NOT_FOUND' },
        { error: 'NOT_FOUND' },
        { error: 'INVALID_ARGUMENT' },
        { error: 'PERMISSION_DENIED' },
      ],
    },
  });
  expect(await topicsOf(good)).toEqual(['words']);
  expect((await batch('Add', '/topics/words', [good])).body).toEqual({ results: [{}] });
  expect((await batch('Remove', '/topics/words', [good])).body).toEqual({ results: [{}] });
  expect(await topicsOf(good)).toEqual([]);
});

test.each([
  ['1,001 tokens', '/topics/x', Array.from({ length: 1_001 }, () => 'y'.repeat(163)), {}, 400],
  ['1,000 tokens', '/topics/x', Array.from({ length: 1_000 }, () => 'y'.repeat(163)), {}, 200],
  ['no token', '/topics/x', [], {}, 400],
  ['a topic without its prefix', 'x', ['y'.repeat(163)], {}, 400],
  ['a topic with other characters', '/topics/Évry', ['y'.repeat(163)], {}, 400],
  ['another credential', '/topics/x', ['y'.repeat(163)], { authorization: 'Bearer no' }, 401],
  [
    'no word that it is an OAuth token',
    '/topics/x',
    ['y'.repeat(163)],
    { access_token_auth: 'false' },
    401,
  ],
])('a batch with %s', async (_what, topic, tokens, headers, status) => {
  expect((await batch('Add', topic, tokens, headers)).status).toBe(status);
});

test('a message to a topic comes to who is in it, on or off, and to nobody else; it may take its time', async () => {
  const [inside, away, outside] = [await newToken(), await newToken(), await newToken()];
  await batch('Add', '/topics/news', [inside, away]);
  const phone = await connectReceiver(`${sandbox.receiversUrl}/fcm?token=${inside}`);
  const other = await connectReceiver(`${sandbox.receiversUrl}/fcm?token=${outside}`);
  await control('/fcm/topics', 'PUT', { delayMs: 300 });
  const sentMs = Date.now();
  expect((await send('news')).status).toBe(200);
  expect(await phone.next()).toMatchObject({ data: { alert: 'news', via: 'a' } });
  expect(Date.now() - sentMs).toBeGreaterThanOrEqual(290);
  await control('/fcm/topics', 'PUT', { delayMs: 0 });
  const late = await connectReceiver(`${sandbox.receiversUrl}/fcm?token=${away}`);
  expect(await late.next()).toMatchObject({ data: { alert: 'news' } });
  await batch('Add', '/topics/last', [outside]);
  await send('last');
  expect(await other.next()).toMatchObject({ data: { alert: 'last' } });
  for (const receiver of [phone, other, late]) receiver.socket.close();
});
