import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import {
  connectFcmSender,
  connectReceiver,
  createAssertion,
  type ProviderClient,
  type ProviderReply,
  requestToken,
} from '../../tests/support/sandbox-client.ts';
import {
  createTestServiceAccount,
  startTestSandbox,
  type TestSandbox,
} from '../../tests/support/sandbox-tls.ts';

let sandbox: TestSandbox;
let client: ProviderClient;
let bearer: string;

beforeAll(async () => {
  sandbox = await startTestSandbox();
  ({ client, bearer } = await connectFcmSender(sandbox));
});
afterEach(() => faults({}));
afterAll(async () => {
  client.close();
  await sandbox.destroy();
});

const control = (path: string, method: string, json?: unknown) =>
  fetch(sandbox.controlUrl + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
const faults = async (fcm: unknown) => {
  expect((await control('/faults', 'PUT', { fcm })).status).toBe(200);
};
const newToken = async () => {
  const { token } = (await (await control('/fcm/tokens', 'POST')).json()) as { token: string };
  return token;
};
const data = { alert: 'signed', via: 'a' };
const send = (message: unknown, headers = {}, project = 'tocsin-test') =>
  client.post(
    `/v1/projects/${project}/messages:send`,
    { authorization: bearer, 'content-type': 'application/json', ...headers },
    JSON.stringify({ message }),
  );

interface FcmError {
  readonly code: number;
  readonly status: string;
  readonly message: string;
  readonly details: readonly Record<string, unknown>[];
}
const errorOf = (reply: ProviderReply) => (reply.body as { error: FcmError }).error;
const errorCodeOf = (reply: ProviderReply) =>
  errorOf(reply).details.find((detail) => String(detail['@type']).endsWith('FcmError'))?.[
    'errorCode'
  ];

test('the token endpoint gives a bearer token for a signed assertion', async () => {
  const reply = await requestToken(client, await createAssertion(sandbox.serviceAccount));
  expect(reply.status).toBe(200);
  expect(reply.body).toEqual({
    access_token: expect.stringMatching(/^ya29\./),
    expires_in: 3599,
    token_type: 'Bearer',
  });
});

test.each([
  ['a wrong audience', { aud: 'https://example.org/token' }, 'invalid_grant'],
  ['an end that is past', { exp: 1_000_000_000 }, 'invalid_grant'],
  ['a life above an hour', { iat: 1_000_000_000 }, 'invalid_grant'],
  ['an unknown account', { iss: 'other@example.org' }, 'invalid_grant'],
  ['no scope for messaging', { scope: 'https://www.googleapis.com/auth/drive' }, 'invalid_scope'],
])('the token endpoint refuses %s', async (_what, claims, error) => {
  const reply = await requestToken(client, await createAssertion(sandbox.serviceAccount, claims));
  expect([reply.status, (reply.body as { error: string }).error]).toEqual([400, error]);
});

test('the token endpoint refuses another key’s signature, and another grant', async () => {
  const other = { ...createTestServiceAccount(), email: sandbox.serviceAccount.email };
  const reply = await requestToken(client, await createAssertion(other));
  expect(reply.body).toEqual({
    error: 'invalid_grant',
    error_description: 'Invalid JWT Signature.',
  });
  const grant = await client.post('/token', {}, 'grant_type=password');
  expect(grant.body).toMatchObject({ error: 'unsupported_grant_type' });
});

test('a message is accepted, counted by its node and handed to the device until it acknowledges', async () => {
  const token = await newToken();
  const reply = await send({ token, data, android: { priority: 'HIGH', ttl: '60s' } });
  expect(reply.status).toBe(200);
  expect(reply.body).toEqual({
    name: expect.stringMatching(/^projects\/tocsin-test\/messages\/0:\d+%[0-9a-f]{16}$/),
  });
  const url = `${sandbox.receiversUrl}/fcm?token=${encodeURIComponent(token)}`;
  const first = await connectReceiver(url);
  const stored = await first.next();
  expect(stored).toEqual({ messageId: expect.any(String), data });
  await first.close();

  const second = await connectReceiver(url);
  expect(await second.next()).toEqual(stored);
  second.send({ ack: stored['messageId'] });
  await send({ token, data: { ...data, via: 'b' } });
  expect(await second.next()).toMatchObject({ data: { via: 'b' } });
  await second.close();

  const third = await connectReceiver(url);
  expect(await third.next()).toMatchObject({ data: { via: 'b' } });
  await third.close();
  const stats = (await (await control('/stats', 'GET')).json()) as {
    fcm: { byNode: Record<string, number> };
  };
  expect(stats.fcm.byNode).toMatchObject({ a: 1, b: 1 });
});

test('P3: a time to live of 0 is now or never, and a short one ends', async () => {
  const token = await newToken();
  await send({ token, data, android: { ttl: '0s' } });
  await send({ token, data: { ...data, via: 'short' }, android: { ttl: '0.001s' } });
  await send({ token, data: { ...data, via: 'last' } });
  const device = await connectReceiver(
    `${sandbox.receiversUrl}/fcm?token=${encodeURIComponent(token)}`,
  );
  expect(await device.next()).toMatchObject({ data: { via: 'last' } });
  await device.close();
});

test('a collapse key keeps only the newest for a device that is away', async () => {
  const token = await newToken();
  for (const via of ['one', 'two'])
    await send({ token, data: { ...data, via }, android: { collapse_key: 'k' } });
  const device = await connectReceiver(
    `${sandbox.receiversUrl}/fcm?token=${encodeURIComponent(token)}`,
  );
  expect(await device.next()).toMatchObject({ data: { via: 'two' } });
  await device.close();
});

test('401 UNAUTHENTICATED without a bearer token, with an unknown one, and by switch', async () => {
  const token = await newToken();
  for (const authorization of ['', 'Bearer ya29.1.x', 'Basic abc']) {
    const reply = await send({ token, data }, { authorization });
    expect(reply.status).toBe(401);
    expect(errorOf(reply)).toMatchObject({ code: 401, status: 'UNAUTHENTICATED' });
    expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
  }
  await faults({ denyAuth: 401 });
  expect((await send({ token, data })).status).toBe(401);
  await faults({ denyAuth: 403 });
  expect(errorOf(await send({ token, data })).status).toBe('PERMISSION_DENIED');
});

test('403 for another project', async () => {
  const reply = await send({ token: await newToken(), data }, {}, 'other-project');
  expect(errorOf(reply)).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' });
});

test('the state of a token: 404 UNREGISTERED, 403 SENDER_ID_MISMATCH, and back', async () => {
  const token = await newToken();
  const set = (state: string) =>
    control(`/fcm/tokens/${encodeURIComponent(token)}`, 'PUT', { state });
  await set('unregistered');
  const gone = await send({ token, data });
  expect([gone.status, errorOf(gone).status, errorCodeOf(gone)]).toEqual([
    404,
    'NOT_FOUND',
    'UNREGISTERED',
  ]);
  await set('sender-id-mismatch');
  const mismatch = await send({ token, data });
  expect([mismatch.status, errorCodeOf(mismatch)]).toEqual([403, 'SENDER_ID_MISMATCH']);
  await set('registered');
  expect((await send({ token, data })).status).toBe(200);
  expect(errorCodeOf(await send({ token: `${token}x`, data }))).toBe('UNREGISTERED');
});

test.each([
  ['no target', { data }],
  ['two targets', { token: 't'.repeat(40), topic: 'nice', data }],
  ['a token of the wrong shape', { token: 'not a token', data }],
  ['data that is not text', { token: 't'.repeat(40), data: { alert: 1 } }],
  ['a reserved key', { token: 't'.repeat(40), data: { 'google.x': '1' } }],
  ['an unknown field', { token: 't'.repeat(40), data, urgent: true }],
  ['a ttl that is no duration', { token: 't'.repeat(40), data, android: { ttl: '60' } }],
  ['a ttl above four weeks', { token: 't'.repeat(40), data, android: { ttl: '2419201s' } }],
  ['an unknown priority', { token: 't'.repeat(40), data, android: { priority: 'LOUD' } }],
  ['more than 4096 bytes', { token: 't'.repeat(40), data: { alert: 'x'.repeat(4092) } }],
])('400 INVALID_ARGUMENT for %s', async (_what, message) => {
  const reply = await send(message);
  expect([reply.status, errorOf(reply).status, errorCodeOf(reply)]).toEqual([
    400,
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
  ]);
});

test('4096 bytes exactly are accepted', async () => {
  const reply = await send({ token: await newToken(), data: { alert: 'x'.repeat(4091) } });
  expect(reply.status).toBe(200);
});

test.each([
  ['project', 'project:tocsin-test'],
  ['device', 'device'],
])('429 QUOTA_EXCEEDED tells the %s’s quota and when to come back', async (quotaScope, subject) => {
  await faults({ reject429Share: 1, retryAfterSeconds: 7, quotaScope });
  const reply = await send({ token: await newToken(), data });
  expect([reply.status, errorOf(reply).status, errorCodeOf(reply)]).toEqual([
    429,
    'RESOURCE_EXHAUSTED',
    'QUOTA_EXCEEDED',
  ]);
  expect(reply.headers['retry-after']).toBe('7');
  const quota = errorOf(reply).details.find((detail) =>
    String(detail['@type']).endsWith('google.rpc.QuotaFailure'),
  );
  expect(quota?.['violations']).toEqual([{ subject, description: expect.any(String) }]);
});

test.each([
  [500, 'INTERNAL', undefined],
  [503, 'UNAVAILABLE', '9'],
])('%i %s', async (status5xx, status, retryAfter) => {
  await faults({ status5xxShare: 1, status5xx, retryAfterSeconds: 9 });
  const reply = await send({ token: await newToken(), data });
  expect([reply.status, errorOf(reply).status, errorCodeOf(reply)]).toEqual([
    status5xx,
    status,
    status,
  ]);
  expect(reply.headers['retry-after']).toBe(retryAfter);
});

test('a black hole says 200 and delivers nothing', async () => {
  const token = await newToken();
  await faults({ blackHole: true });
  expect((await send({ token, data })).status).toBe(200);
  await faults({});
  await send({ token, data: { ...data, via: 'seen' } });
  const device = await connectReceiver(
    `${sandbox.receiversUrl}/fcm?token=${encodeURIComponent(token)}`,
  );
  expect(await device.next()).toMatchObject({ data: { via: 'seen' } });
  await device.close();
});

test('a black hole for one node alone: what says that it comes from another is delivered', async () => {
  const token = await newToken();
  await faults({ blackHoleNode: 'a' });
  for (const via of ['a', 'b'])
    expect((await send({ token, data: { ...data, via } })).status).toBe(200);
  const device = await connectReceiver(
    `${sandbox.receiversUrl}/fcm?token=${encodeURIComponent(token)}`,
  );
  expect(await device.next()).toMatchObject({ data: { via: 'b' } });
  await device.close();
});

test('a withdrawn service account gets no token, and the tokens it had are refused for good', async () => {
  const token = await newToken();
  const ask = async () => requestToken(client, await createAssertion(sandbox.serviceAccount));
  await faults({ revoked: true });
  expect((await send({ token, data })).status).toBe(401);
  expect(await ask()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  await faults({});
  expect((await send({ token, data })).status).toBe(401);
  bearer = `Bearer ${((await ask()).body as { access_token: string }).access_token}`;
  expect((await send({ token, data })).status).toBe(200);
});

test('a token that nobody registered gets no socket', async () => {
  await expect(connectReceiver(`${sandbox.receiversUrl}/fcm?token=unknown`)).rejects.toThrow('404');
});
