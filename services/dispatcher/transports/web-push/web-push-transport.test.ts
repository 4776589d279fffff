import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import webpush from 'web-push';
import { createLogger } from '../../../../shared/log/logger.ts';
import { systemClock } from '../../../../shared/time/clock.ts';
import { createReceiverKeys, decryptWebPush } from '../../../../shared/web-push/decrypt.ts';
import { guardTransport } from '../guard-transport.ts';
import { HTTPS_POOL_DEFAULTS, HttpsPool } from '../https-pool.ts';
import { makeCertificate } from '../test-support/certificate.ts';
import {
  describeTransportContract,
  exampleMessage,
  type ProviderMood,
} from '../test-support/contract.ts';
import { createTransportMetrics } from '../transport-metrics.ts';
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

const MOODS: Record<ProviderMood, (request: IncomingMessage, response: ServerResponse) => void> = {
  accept: (_request, response) => response.writeHead(201).end(),
  gone: (_request, response) => response.writeHead(410).end(),
  throttle: (_request, response) => response.writeHead(429, { 'retry-after': '17' }).end(),
  fail: (_request, response) => response.writeHead(503).end(),
  'refuse-auth': (_request, response) => response.writeHead(403).end(),
  hang: () => undefined,
  cut: (request) => request.socket.destroy(),
};

async function start() {
  let mood: ProviderMood = 'accept';
  const received: { url: string; headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const server = createServer(certificate, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const { url = '', headers } = request;
      received.push({ url, headers, body: Buffer.concat(chunks) });
      MOODS[mood](request, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const pool = new HttpsPool({ ...HTTPS_POOL_DEFAULTS, deadlineMs: 1_000, ca: certificate.cert });
  const transport = guardTransport(
    createWebPushTransport(
      { extraOrigins: [origin], maxInFlight: 50 },
      { pool, vapidHeader: createVapidHeaders(vapid, { clock: systemClock }), clock: systemClock },
    ),
    {
      log: createLogger('test', 'a', 'silent'),
      metrics: createTransportMetrics(new Registry()),
    },
  );
  cleanups.push(() => transport.close());
  const address = {
    transport: 'web-push' as const,
    endpoint: `${origin}/wpush/v2/secret-capability?x=1`,
    keys: { p256dh: receiver.publicKey, auth: receiver.auth },
  };
  return {
    transport,
    address,
    requests: received,
    secrets: ['secret-capability', receiver.auth, receiver.publicKey, vapid.privateKey],
    received: () => received.length,
    setMood: (next: ProviderMood) => {
      mood = next;
    },
  };
}

describeTransportContract('Web Push', start);

test('the request is RFC 8030 with VAPID: TTL at the time of sending, urgency, no topic, sealed for the device', async () => {
  const { transport, address, requests } = await start();
  const message = exampleMessage({ expiresAtMs: Date.now() + 90_500 });
  await transport.send(address, message, never);
  await transport.send(address, { ...message, quiet: true }, never);
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
    expect(await transport.send({ ...address, endpoint }, exampleMessage(), never)).toEqual({
      kind: 'rejected',
      reason: 'endpoint-not-allowed',
    });
  const keys = { ...address.keys, p256dh: 'A'.repeat(87) };
  expect(await transport.send({ ...address, keys }, exampleMessage(), never)).toEqual({
    kind: 'rejected',
    reason: 'bad-keys',
  });
  const long = exampleMessage({ signedMessage: 'x'.repeat(4000) });
  expect(await transport.send(address, long, never)).toMatchObject({ reason: 'too-large' });
  expect(received()).toBe(0);
});
