import { afterEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import webpush from 'web-push';
import { createLogger } from '../../../../shared/log/logger.ts';
import { systemClock } from '../../../../shared/time/clock.ts';
import { createReceiverKeys, decryptWebPush } from '../../../../shared/web-push/decrypt.ts';
import { OriginLimits } from '../../pacing/origin-limits.ts';
import { guardTransport } from '../guard-transport.ts';
import { PostClientChoice } from '../http2-client.ts';
import { makeCertificate } from '../test-support/certificate.ts';
import {
  describeTransportContract,
  exampleMessage,
  type ProviderMood,
} from '../test-support/contract.ts';
import { sent } from '../test-support/promised.ts';
import { type AnswerPush, PushService } from '../test-support/push-service.ts';
import { until } from '../test-support/until.ts';
import { createTransportMetrics } from '../transport-metrics.ts';
import { buildOriginPools } from './build.ts';
import { createFreshEncryptor } from './seal-fresh.ts';
import { createVapidHeaders } from './vapid.ts';
import { createWebPushTransport } from './web-push-transport.ts';

const certificate = makeCertificate();
const never = new AbortController().signal;
const cleanups: (() => Promise<void>)[] = [];
const receiver = createReceiverKeys();
const vapid = { subject: 'mailto:alerte@tocsin.example', ...webpush.generateVAPIDKeys() };

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const status =
  (code: number, headers: Record<string, string> = {}): AnswerPush =>
  (_request, response) => {
    response.writeHead(code, headers);
    response.end();
  };

const MOODS: Record<ProviderMood, AnswerPush> = {
  accept: status(201),
  gone: status(410),
  throttle: status(429, { 'retry-after': '17' }),
  fail: status(503),
  'refuse-auth': status(403),
  hang: () => undefined,
  'hang-first': (request, response, count) => {
    if (count > 1) MOODS.accept(request, response, count);
  },
  cut: (request) => request.socket.destroy(),
};

async function aService(hasHttp2 = true, onRequest: AnswerPush = status(201)) {
  const service = new PushService(certificate, onRequest, hasHttp2);
  const origin = await service.listen();
  cleanups.push(() => service.close());
  return { service, origin };
}

interface Trial {
  readonly inFlight?: number;
  readonly deadlineMs?: number;
  readonly client?: PostClientChoice;
}

function aTransport(
  extraOrigins: readonly string[],
  { inFlight = 50, deadlineMs = 3_000, client = 'node' }: Trial = {},
) {
  const deps = {
    log: createLogger('test', 'a', 'silent'),
    metrics: createTransportMetrics(new Registry()),
  };
  const pools = buildOriginPools(
    {
      HTTP2_CLIENT: client,
      WEB_PUSH_SESSIONS: 2,
      WEB_PUSH_SOCKETS: 50,
      WEB_PUSH_IN_FLIGHT: inFlight,
    },
    deps,
    new OriginLimits({ most: 400, random: Math.random }),
    { ca: certificate.cert, deadlineMs },
  );
  const vapidHeader = createVapidHeaders(vapid, { clock: systemClock });
  const transport = guardTransport(
    createWebPushTransport(
      { extraOrigins, maxInFlight: inFlight },
      { pools, vapidHeader, encryptor: createFreshEncryptor(), clock: systemClock },
    ),
    deps,
  );
  cleanups.push(() => transport.close());
  return { transport, pools };
}

const addressAt = (origin: string) => ({
  transport: 'web-push' as const,
  endpoint: `${origin}/wpush/v2/secret-capability?x=1`,
  keys: { p256dh: receiver.publicKey, auth: receiver.auth },
});

async function start(hasHttp2 = true, trial: Trial = {}) {
  const { service, origin } = await aService(hasHttp2);
  return {
    ...aTransport([origin], trial),
    address: addressAt(origin),
    service,
    requests: service.received,
    secrets: ['secret-capability', receiver.auth, receiver.publicKey, vapid.privateKey],
    received: () => service.received.length,
    setMood: (next: ProviderMood) => {
      service.onRequest = MOODS[next];
    },
  };
}

for (const client of PostClientChoice.options)
  describeTransportContract(`Web Push over HTTP/2 (${client})`, () => start(true, { client }));
describeTransportContract('Web Push over HTTP/1.1', () => start(false));

test('HTTP/2 where the service has it, else HTTP/1.1; an origin is asked once', async () => {
  const both = await start();
  const old = await start(false);
  for (const { transport, address } of [both, old])
    for (let i = 0; i < 5; i++)
      expect(await sent(transport, address, exampleMessage(), never)).toEqual({ kind: 'accepted' });
  expect(both.requests.map(({ httpVersion }) => httpVersion)).toEqual(Array(5).fill('2.0'));
  expect(old.requests.map(({ httpVersion }) => httpVersion)).toEqual(Array(5).fill('1.1'));
  // One to ask, two sessions; one to ask, one socket that is kept.
  expect(both.service.connections).toBe(3);
  expect(old.service.connections).toBe(2);
});

test.each(PostClientChoice.options)(
  'an origin that hangs does not hold up another, and gives back the places of those that wait (%s)',
  async (client) => {
    const dead = await aService(true, () => undefined);
    const alive = await aService();
    const { transport } = aTransport([dead.origin, alive.origin], {
      inFlight: 2_000,
      deadlineMs: 9_000,
      client,
    });
    const message = exampleMessage();
    const hanging = Array.from({ length: 1_000 }, () =>
      sent(transport, addressAt(dead.origin), message, never),
    );
    const startedAtMs = performance.now();
    const quick = Array.from({ length: 300 }, () =>
      sent(transport, addressAt(alive.origin), message, never),
    );
    for (const outcome of await Promise.all(quick)) expect(outcome).toEqual({ kind: 'accepted' });
    expect(performance.now() - startedAtMs).toBeLessThan(6_000);
    const outcomes = await Promise.all(hanging);
    const reasons = Map.groupBy(outcomes, (outcome) =>
      outcome.kind === 'unavailable' ? outcome.reason : outcome.kind,
    );
    // What was on the wire (two sessions of a hundred) costs the deadline; the rest was given back long before.
    expect(reasons.get('timeout')?.length).toBeLessThanOrEqual(200);
    expect((reasons.get('timeout')?.length ?? 0) + (reasons.get('overloaded')?.length ?? 0)).toBe(
      1_000,
    );
    expect((await sent(transport, addressAt(alive.origin), message, never)).kind).toBe('accepted');
  },
  30_000,
);

test('an origin that nobody answers at fails soon, and works when it is there', async () => {
  const { service, origin } = await aService();
  await service.close();
  cleanups.pop();
  const { transport } = aTransport([origin]);
  expect(await sent(transport, addressAt(origin), exampleMessage(), never)).toMatchObject({
    reason: 'connection',
  });
  const back = new PushService(certificate);
  await back.listen(Number(new URL(origin).port));
  cleanups.push(() => back.close());
  const endMs = performance.now() + 8_000;
  let kind = '';
  while (kind !== 'accepted' && performance.now() < endMs)
    ({ kind } = await sent(transport, addressAt(origin), exampleMessage(), never));
  expect(kind).toBe('accepted');
});

test('an origin whose certificate is not trusted is never sent anything', async () => {
  const { service, origin } = await aService();
  const deps = {
    log: createLogger('test', 'a', 'silent'),
    metrics: createTransportMetrics(new Registry()),
  };
  const pools = buildOriginPools(
    { HTTP2_CLIENT: 'node', WEB_PUSH_SESSIONS: 1, WEB_PUSH_SOCKETS: 1, WEB_PUSH_IN_FLIGHT: 100 },
    deps,
    new OriginLimits({ most: 100, random: Math.random }),
  );
  const vapidHeader = createVapidHeaders(vapid, { clock: systemClock });
  const transport = createWebPushTransport(
    { extraOrigins: [origin], maxInFlight: 100 },
    { pools, vapidHeader, encryptor: createFreshEncryptor(), clock: systemClock },
  );
  cleanups.push(() => transport.close());
  expect(await sent(transport, addressAt(origin), exampleMessage(), never)).toMatchObject({
    kind: 'unavailable',
    reason: 'connection',
  });
  expect(service.received).toHaveLength(0);
});

test('RFC 8188: a retry sends the same bytes again, so that a content key serves one payload and once', async () => {
  const { transport, address, requests, setMood } = await start();
  const message = exampleMessage();
  setMood('throttle');
  await sent(transport, address, message, never);
  await sent(transport, address, message, never);
  setMood('accept');
  await sent(transport, address, message, never);
  await sent(transport, address, message, never);
  const [first, second, third, fourth] = requests.map(({ body }) => body.toString('hex'));
  expect(second).toBe(first);
  expect(third).toBe(first);
  expect(fourth).not.toBe(first);
});

test.each(PostClientChoice.options)(
  'memory that is used again never mixes messages up, whatever the answers: each device reads its own (%s)',
  async (client) => {
    const { service, origin } = await aService(true, (request, response, count) => {
      const mood = count % 5 === 0 ? 'throttle' : count % 7 === 0 ? 'fail' : 'accept';
      MOODS[mood](request, response, count);
    });
    const { transport } = aTransport([origin], { client });
    const devices = Array.from({ length: 12 }, createReceiverKeys);
    const message = exampleMessage();
    for (let wave = 0; wave < 6; wave++)
      await Promise.all(
        devices.map(({ publicKey, auth }, n) =>
          sent(
            transport,
            {
              transport: 'web-push',
              endpoint: `${origin}/device/${n}`,
              keys: { p256dh: publicKey, auth },
            },
            message,
            never,
          ),
        ),
      );
    expect(service.received).toHaveLength(72);
    for (const { url, body } of service.received) {
      const device = devices[Number(url.split('/').at(-1))] ?? receiver;
      expect(JSON.parse(decryptWebPush(body, device).toString()).alert).toBe(message.signedMessage);
    }
  },
);

test('the request is RFC 8030 with VAPID: TTL at the time of sending, urgency, no topic, sealed for the device', async () => {
  const { transport, address, requests } = await start();
  const message = exampleMessage({ expiresAtMs: Date.now() + 90_500 });
  await sent(transport, address, message, never);
  await sent(transport, address, { ...message, quiet: true }, never);
  const [first, second] = requests;
  expect(first?.url).toBe('/wpush/v2/secret-capability?x=1');
  expect(first?.headers).toMatchObject({
    ttl: '90',
    urgency: 'high',
    'content-encoding': 'aes128gcm',
    'content-length': String(first?.body.length),
  });
  expect(first?.headers['topic']).toBeUndefined();
  expect(second?.headers['urgency']).toBe('normal');
  expect(second?.headers.authorization).toBe(first?.headers.authorization);
  const clear = decryptWebPush(first?.body ?? Buffer.alloc(0), receiver);
  expect(JSON.parse(clear.toString())).toEqual({ alert: message.signedMessage, via: 'a' });
  expect(first?.body.equals(second?.body ?? Buffer.alloc(0))).toBe(false);
});

test('an address inside our own network, or with keys that are none, is never called', async () => {
  const { transport, address, received } = await start();
  for (const endpoint of ['https://127.0.0.1:8402/v1/intake', 'https://10.0.0.1/', 'http://x/'])
    expect(await sent(transport, { ...address, endpoint }, exampleMessage(), never)).toEqual({
      kind: 'rejected',
      reason: 'endpoint-not-allowed',
    });
  const keys = { ...address.keys, p256dh: 'A'.repeat(87) };
  expect(await sent(transport, { ...address, keys }, exampleMessage(), never)).toEqual({
    kind: 'rejected',
    reason: 'bad-keys',
  });
  const long = exampleMessage({ signedMessage: 'x'.repeat(4000) });
  expect(await sent(transport, address, long, never)).toMatchObject({ reason: 'too-large' });
  expect(received()).toBe(0);
});

test('connections to known services are there before an alert, and none to others', async () => {
  const { transport, address, service, pools } = await start();
  const stranger = { ...address, endpoint: 'https://10.0.0.1/x' };
  transport.keepWarm?.([address, stranger]);
  await until('two sessions besides the question', () => service.connections === 3);
  expect(pools.size).toBe(1);
  await sent(transport, address, exampleMessage(), never);
  expect(service.connections).toBe(3);
});

test('a service that closes the session in the middle (GOAWAY) costs no message', async () => {
  const { transport, address, service, pools } = await start();
  await pools.at(new URL(address.endpoint).origin)?.ready;
  service.onRequest = (request, response, count) => {
    if (count % 7 === 0) service.goAway();
    MOODS.accept(request, response, count);
  };
  const outcomes = await Promise.all(
    Array.from({ length: 45 }, () => sent(transport, address, exampleMessage(), never)),
  );
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
});
