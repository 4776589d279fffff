import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import webPush from 'web-push';
import type { DeviceMessage } from '../../shared/envelope/device-message.ts';
import { encodePushPayload } from '../../shared/envelope/push-payload.ts';
import { createSigner, type Sign } from '../../shared/envelope/signature.ts';
import { listen } from '../../shared/http/listen.ts';
import { DeviceReceipt } from '../../shared/receipt/device-receipt.ts';
import type { Subscription } from '../../shared/subscription/subscription.ts';
import {
  connectFcmSender,
  type ProviderClient,
  vapidHeaders,
} from '../../tests/support/sandbox-client.ts';
import { startTestSandbox, type TestSandbox } from '../../tests/support/sandbox-tls.ts';
import type { CrowdReport } from './crowd-report.ts';

const vapid = webPush.generateVAPIDKeys();
const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
const trusted = { kty: 'OKP', crv: 'Ed25519', x, kid: 'k1', audience: 'public' } as const;
const setup = {
  name: 'nice',
  areas: [
    { code: '06088', count: 6 },
    { code: '13055', count: 4 },
  ],
  fcmShare: 0.5,
  language: 'fr-FR',
  keySet: { keys: [trusted] },
  vapidPublicKey: vapid.publicKey,
};

let sandbox: TestSandbox;
let client: ProviderClient;
let bearer: string;
let sign: Sign;
let nextId = 1;

const connect = async () => {
  ({ client, bearer } = await connectFcmSender(sandbox));
};
beforeAll(async () => {
  sign = await createSigner({ ...trusted, d }, 'alert');
  sandbox = await startTestSandbox();
  await connect();
});
afterAll(async () => {
  client.close();
  await sandbox.destroy();
});

const capTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
const message = (changes: Partial<DeviceMessage> = {}): DeviceMessage => ({
  v: 1,
  id: (nextId++).toString(16).padStart(32, '0'),
  audience: 'public',
  status: 'Actual',
  msgType: 'Alert',
  sent: capTime(Date.now()),
  expires: capTime(Date.now() + 3_600_000),
  references: [],
  level: 'extreme',
  severity: 'Extreme',
  language: 'fr-FR',
  senderName: 'Préfecture',
  event: 'Attaque',
  headline: 'Mettez-vous à l’abri',
  description: 'Restez où vous êtes.',
  areaDesc: 'Nice',
  contentHash: 'h',
  ...changes,
});

const makeCrowd = async (body: unknown) => {
  const answer = await fetch(`${sandbox.controlUrl}/crowds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const json = (await answer.json()) as { name: string; subscriptions: Subscription[] };
  return { status: answer.status, ...json };
};

const send = (address: Subscription['address'], alert: string, via: string) => {
  if (address.transport === 'fcm')
    return client.post(
      '/v1/projects/tocsin-test/messages:send',
      { authorization: bearer },
      JSON.stringify({ message: { token: address.token, data: { alert, via } } }),
    );
  const { endpoint, keys } = address;
  const clear = encodePushPayload({ alert, via });
  const { cipherText } = webPush.encrypt(keys.p256dh, keys.auth, clear, 'aes128gcm');
  const headers = vapidHeaders(sandbox.origin, vapid);
  return client.post(new URL(endpoint).pathname, headers, cipherText);
};

/** Sends to all and expects each to be accepted. */
const sendAll = async (to: readonly Subscription[], alert: string, via = 'a') => {
  const replies = await Promise.all(to.map(({ address }) => send(address, alert, via)));
  expect(replies.every(({ status }) => status < 300)).toBe(true);
};

/** The report once it satisfies `isRight`, or as it stands after two seconds. */
const report = async (
  crowd: string,
  alert: string,
  isRight: (report: CrowdReport) => boolean,
  query = '',
): Promise<CrowdReport> => {
  const deadline = Date.now() + 2_000;
  for (;;) {
    const url = `${sandbox.controlUrl}/crowds/${crowd}/report?alert=${alert}${query}`;
    const found = (await (await fetch(url)).json()) as CrowdReport;
    if (isRight(found) || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

test('a crowd receives by both transports, shows once, counts repeats, and takes down at a Cancel', async () => {
  const { status, subscriptions } = await makeCrowd(setup);
  expect(status).toBe(201);
  expect(subscriptions).toHaveLength(10);
  const nice = subscriptions.filter(({ areaCodes }) => areaCodes.includes('06088'));
  const alert = message();
  const before = Date.now();
  const signed = await sign(JSON.stringify(alert));
  await sendAll(nice.slice(0, 4), signed, 'a');
  await sendAll(nice.slice(3), signed, 'b');
  const isWhole = ({ total }: CrowdReport) => total.repeats === 1 && total.received === 6;
  const found = await report('nice', alert.id, isWhole, '&areas=06');
  const { inside, outside } = found;
  expect(inside).toMatchObject({
    devices: 6,
    acceptedMessages: 7,
    received: 6,
    shown: 6,
    shownTwice: 0,
    takenDown: 0,
    refused: 0,
    repeats: 1,
    byNode: { a: 4, b: 2 },
  });
  expect(outside).toMatchObject({ devices: 4, received: 0, firstMs: null, lastMs: null });
  expect(found.perTransport.fcm.received).toBe(3);
  expect(found.perTransport['web-push'].received).toBe(3);
  expect(found.areas.map(({ code, total }) => [code, total.received])).toEqual([
    ['06088', 6],
    ['13055', 0],
  ]);
  const { firstMs, lastMs } = found.total;
  expect(Number(firstMs)).toBeGreaterThanOrEqual(before);
  expect(Number(lastMs)).toBeGreaterThanOrEqual(Number(firstMs));

  const cancel = message({ msgType: 'Cancel', references: [alert.id] });
  await sendAll(nice, await sign(JSON.stringify(cancel)));
  const after = await report('nice', alert.id, ({ total }) => total.takenDown === 6);
  expect(after.total).toMatchObject({ takenDown: 6, shownTwice: 0 });
  const stats = (await (await fetch(`${sandbox.controlUrl}/stats`)).json()) as Record<
    string,
    { accepted: number; byNode: Record<string, number> }
  >;
  expect(stats['fcm']).toMatchObject({ accepted: 6, byNode: { a: 6 } });
  expect(stats['webPush']).toMatchObject({ accepted: 7, byNode: { a: 4, b: 3 } });
});

test('P8: forged, tampered, expired and misdirected messages are refused and counted', async () => {
  const { subscriptions } = await makeCrowd({ ...setup, name: 'refusing' });
  const forged = await createSigner({ ...trusted, ...newKey() }, 'alert');
  const web = subscriptions.filter(({ address }) => address.transport === 'web-push').slice(0, 1);
  await sendAll(web, await forged(JSON.stringify(message())));
  await sendAll(web, 'no signature');
  const late = message({ expires: capTime(Date.now() - 1000) });
  await sendAll(web, await sign(JSON.stringify(late)));
  const foreign = message({ status: 'Test', audience: 'canary' });
  await sendAll(web, await sign(JSON.stringify(foreign)));
  const { address } = web[0] ?? {};
  if (address?.transport !== 'web-push') throw new Error('no Web Push device');
  const garbage = await client.post(
    new URL(address.endpoint).pathname,
    vapidHeaders(sandbox.origin, vapid),
    Buffer.alloc(200, 1),
  );
  expect(garbage.status).toBe(201);
  const isWhole = ({ unread, total }: CrowdReport) =>
    unread.undecryptable === 1 && unread.unsigned === 2 && total.refused === 1;
  const found = await report('refusing', late.id, isWhole);
  expect(found.unread).toEqual({ undecryptable: 1, malformed: 0, unsigned: 2 });
  expect(found.total).toMatchObject({ received: 0, shown: 0, refused: 1 });
  const misdirected = await report('refusing', foreign.id, ({ total }) => total.refused === 1);
  expect(misdirected.total.shown).toBe(0);
});

const newKey = () => {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { x: jwk.x ?? '', d: jwk.d ?? '' };
};

test('the endpoints of a crowd take only the sender that they were made for', async () => {
  const { subscriptions } = await makeCrowd({ ...setup, name: 'keyed' });
  const web = subscriptions.find(({ address }) => address.transport === 'web-push')?.address;
  if (web?.transport !== 'web-push') throw new Error('no Web Push device');
  const headers = vapidHeaders(sandbox.origin, webPush.generateVAPIDKeys());
  const reply = await client.post(new URL(web.endpoint).pathname, headers, '');
  expect(reply.body).toMatchObject({ code: 401, errno: 109 });
});

test('devices send receipts to the edge', async () => {
  const receipts: DeviceReceipt[] = [];
  const edge = await listen(
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        receipts.push(DeviceReceipt.parse(JSON.parse(Buffer.concat(chunks).toString())));
        response.writeHead(204).end();
      });
    },
    { host: '127.0.0.1', port: 0 },
  );
  const edgeUrl = `http://127.0.0.1:${edge.port}`;
  const { subscriptions } = await makeCrowd({ ...setup, name: 'answering', edgeUrl });
  const alert = message();
  await sendAll(subscriptions, await sign(JSON.stringify(alert)));
  await report('answering', alert.id, () => receipts.length === 10);
  expect(receipts).toHaveLength(10);
  expect(receipts[0]).toMatchObject({ alertId: alert.id, action: 'shown', via: 'a' });
  expect(receipts.filter(({ transport }) => transport === 'fcm')).toHaveLength(5);
  await edge.close();
});

test('the same crowd again keeps its devices; another shape under the name is refused; a removed one is gone', async () => {
  const first = await makeCrowd({ ...setup, name: 'again' });
  const second = await makeCrowd({ ...setup, name: 'again', receiptShare: 0.5 });
  expect([second.status, second.subscriptions]).toEqual([200, first.subscriptions]);
  expect((await makeCrowd({ ...setup, name: 'again', fcmShare: 1 })).status).toBe(409);
  const removed = await fetch(`${sandbox.controlUrl}/crowds/again`, { method: 'DELETE' });
  expect(removed.status).toBe(204);
  const replies = await Promise.all(
    first.subscriptions.map(({ address }) => send(address, 'x', 'a')),
  );
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([404]));
});

test('crowds and access tokens outlive a restart: the same devices receive', async () => {
  const { subscriptions } = await makeCrowd({ ...setup, name: 'lasting' });
  client.close();
  const oldBearer = bearer;
  await sandbox.close();
  sandbox = await startTestSandbox(sandbox);
  await connect();
  bearer = oldBearer;
  const alert = message();
  await sendAll(subscriptions, await sign(JSON.stringify(alert)));
  const found = await report('lasting', alert.id, ({ total }) => total.received === 10);
  expect(found.total).toMatchObject({ received: 10, shown: 10, shownTwice: 0 });
});

test('a wrong setup is refused with every field', async () => {
  const answer = await fetch(`${sandbox.controlUrl}/crowds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...setup, name: 'Nice!', fcmShare: 2 }),
  });
  expect(answer.status).toBe(400);
  const { errors } = (await answer.json()) as { errors: { field: string }[] };
  expect(errors.map(({ field }) => field)).toEqual(['name', 'fcmShare']);
});
