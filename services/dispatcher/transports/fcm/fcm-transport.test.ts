import { afterEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createLogger } from '../../../../shared/log/logger.ts';
import { systemClock } from '../../../../shared/time/clock.ts';
import { guardTransport } from '../guard-transport.ts';
import { openHttp2Client, PostClientChoice } from '../http2-client.ts';
import { makeCertificate } from '../test-support/certificate.ts';
import {
  describeTransportContract,
  exampleMessage,
  type ProviderMood,
} from '../test-support/contract.ts';
import { answer, Http2Provider, type ProviderRequest } from '../test-support/http2-provider.ts';
import { sent } from '../test-support/promised.ts';
import { createTransportMetrics } from '../transport-metrics.ts';
import { AccessTokens } from './access-token.ts';
import { createFcmTransport } from './fcm-transport.ts';

const certificate = makeCertificate();
const never = new AbortController().signal;
const cleanups: (() => Promise<void>)[] = [];
const address = { transport: 'fcm' as const, token: 'registration-token-of-a-device' };

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const fcmDetails = (status: string, errorCode: string) => ({
  error: {
    status,
    details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }],
  },
});

const MOODS: Record<ProviderMood, (request: ProviderRequest, count: number) => void> = {
  accept: (request) => answer(request, 200, { name: 'projects/p/messages/1' }),
  gone: (request) => answer(request, 404, fcmDetails('NOT_FOUND', 'UNREGISTERED')),
  throttle: (request) => answer(request, 429, {}, { 'retry-after': '17' }),
  fail: (request) => answer(request, 503, fcmDetails('UNAVAILABLE', 'UNAVAILABLE')),
  'refuse-auth': (request) => answer(request, 401, { error: { status: 'UNAUTHENTICATED' } }),
  hang: () => undefined,
  'hang-first': (request, count) => {
    if (count > 1) MOODS.accept(request, count);
  },
  cut: (request) => request.stream.session?.destroy(),
};

async function start(client: PostClientChoice = 'node') {
  let mood: ProviderMood = 'accept';
  const provider: Http2Provider = new Http2Provider(
    certificate,
    (request) => MOODS[mood](request, provider.requests.length),
    {
      maxConcurrentStreams: 100,
    },
  );
  const origin = `https://localhost:${await provider.listen()}`;
  cleanups.push(() => provider.close());
  let fetches = 0;
  const tokens = new AccessTokens({
    fetchToken: async () => ({ value: `access-${++fetches}`, expiresAtMs: Date.now() + 3_600_000 }),
    clock: systemClock,
    random: Math.random,
    onRefresh: () => undefined,
  });
  const pool = openHttp2Client(
    client,
    { origin, sessions: 2, deadlineMs: 3_000, ca: certificate.cert },
    { random: Math.random, onConnection: () => undefined },
  );
  const metrics = createTransportMetrics(new Registry());
  const transport = guardTransport(
    createFcmTransport({ projectId: 'p-1', sessions: 2 }, { pool, tokens, clock: systemClock }),
    { log: createLogger('test', 'a', 'silent'), metrics },
  );
  cleanups.push(() => transport.close());
  return {
    transport,
    address,
    provider,
    metrics,
    fetches: () => fetches,
    secrets: [address.token, 'access-1'],
    received: () => provider.requests.length,
    setMood: (next: ProviderMood) => {
      mood = next;
    },
  };
}

for (const client of PostClientChoice.options)
  describeTransportContract(`FCM (${client})`, () => start(client));

test('the request is FCM HTTP v1: path of the project, bearer token, TTL at the time of sending', async () => {
  const { transport, provider } = await start();
  const message = exampleMessage({ expiresAtMs: Date.now() + 90_500 });
  await sent(transport, address, message, never);
  const request = provider.requests[0];
  expect(request?.headers).toMatchObject({
    ':method': 'POST',
    ':path': '/v1/projects/p-1/messages:send',
    authorization: 'Bearer access-1',
    'content-type': 'application/json',
  });
  const { message: carried } = JSON.parse(request?.body ?? '');
  expect(carried).toMatchObject({
    token: address.token,
    android: { ttl: '90s', priority: 'high' },
    data: { alert: message.signedMessage, via: 'a' },
  });
  expect(carried.notification).toBeUndefined();
});

test('a refused access token is renewed once, and the next send carries the new one', async () => {
  const { transport, provider, fetches, setMood } = await start();
  setMood('refuse-auth');
  const sends = Array.from({ length: 20 }, () => sent(transport, address, exampleMessage(), never));
  for (const outcome of await Promise.all(sends))
    expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'auth' });
  setMood('accept');
  expect((await sent(transport, address, exampleMessage(), never)).kind).toBe('accepted');
  expect(provider.requests.at(-1)?.headers.authorization).toBe('Bearer access-2');
  expect(fetches()).toBe(2);
});

test('every outcome is counted, with labels that are there from the start', async () => {
  const { transport, metrics, setMood } = await start();
  await sent(transport, address, exampleMessage(), never);
  setMood('fail');
  await sent(transport, address, exampleMessage(), never);
  const { values } = await metrics.outcomes.get();
  const counted = values
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => [labels, value]);
  expect(counted).toEqual([
    [{ transport: 'fcm', outcome: 'accepted', reason: '' }, 1],
    [{ transport: 'fcm', outcome: 'unavailable', reason: 'provider-error' }, 1],
  ]);
});
