import { createECDH, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { declareStreams, ensureStream } from '../../shared/bus/streams.ts';
import { alertSubject, registrySubject } from '../../shared/bus/subjects.ts';
import { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import { eventually, startTestEdge, type TestEdge } from '../support/edge.ts';
import { startNats, type TestNats } from '../support/nats-server.ts';
import {
  createSigningKey,
  publicHalves,
  signedEnvelope,
  testAlert,
} from '../support/signed-alerts.ts';

const publicKey = createSigningKey('public');
const canaryKey = createSigningKey('canary');
const keySet = publicHalves(publicKey, canaryKey);

let natsA: TestNats;
let natsB: TestNats;
let edge: TestEdge;

beforeAll(async () => {
  [natsA, natsB] = await Promise.all([
    startNats({ syncAlways: false, users: true }),
    startNats({ syncAlways: false, users: true }),
  ]);
  edge = await startTestEdge({
    keySet,
    sites: [siteOf('a', natsA), siteOf('b', natsB)],
    env: { EXTRA_PUSH_ORIGINS: 'https://localhost:8491', REGISTRATIONS_PER_MINUTE: '10000' },
  });
  await eventually('both buses take registrations', async () => {
    const answer = await put(newDevice());
    return answer.ok && ((await answer.json()) as { storedBy: string[] }).storedBy.length === 2;
  });
});

afterAll(async () => {
  await edge?.close();
  await Promise.all([natsA?.close(), natsB?.close()]);
});

/** The edge as production's user, which may do only what it needs. */
function siteOf(site: string, { url, monitorUrl, passwordFiles }: TestNats) {
  return { site, url, monitorUrl, user: 'edge', passwordFile: passwordFiles.edge };
}

const connectAs = (nats: TestNats, user: 'dispatcher' | 'ingest') =>
  connect({ servers: nats.url, user, pass: nats.passwords[user] });

interface Device {
  readonly deviceId: string;
  readonly secret: string;
  readonly body: Record<string, unknown>;
}

function newDevice(changes: Record<string, unknown> = {}): Device {
  const ecdh = createECDH('prime256v1');
  return {
    deviceId: randomBytes(16).toString('base64url'),
    secret: randomBytes(16).toString('base64url'),
    body: {
      address: {
        transport: 'web-push',
        endpoint: `https://localhost:8491/wpush/v2/${randomBytes(8).toString('hex')}`,
        keys: {
          p256dh: ecdh.generateKeys('base64url'),
          auth: randomBytes(16).toString('base64url'),
        },
      },
      areaCodes: ['06088'],
      language: 'fr-FR',
      appVersion: 'test',
      ...changes,
    },
  };
}

function put(device: Device, secret = device.secret): Promise<Response> {
  return fetch(`${edge.url}/v1/subscriptions/${device.deviceId}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
    body: JSON.stringify(device.body),
  });
}

function internal(path: string, body: unknown): Promise<Response> {
  return fetch(edge.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${edge.token}`,
      'content-type': typeof body === 'string' ? 'application/jose' : 'application/json',
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function lastRecord(nats: TestNats, deviceId: string): Promise<RegistryRecord | undefined> {
  const connection = await connectAs(nats, 'dispatcher');
  try {
    const manager = await jetstreamManager(connection);
    const stored = await manager.streams.getMessage('REGISTRY', {
      last_by_subj: registrySubject(deviceId),
    });
    return stored === null ? undefined : RegistryRecord.parse(stored.json());
  } finally {
    await connection.close();
  }
}

test('a registration is 201 on every site, a change is 200 with a higher version, and only its secret may change it', async () => {
  const device = newDevice();
  const created = await put(device);
  expect(created.status).toBe(201);
  expect(await created.json()).toMatchObject({ storedBy: ['a', 'b'] });

  const changed = await put({ ...device, body: { ...device.body, areaCodes: ['06029'] } });
  expect(changed.status).toBe(200);
  expect((await put(device, randomBytes(16).toString('base64url'))).status).toBe(403);

  const [a, b] = await Promise.all([
    lastRecord(natsA, device.deviceId),
    lastRecord(natsB, device.deviceId),
  ]);
  expect(a).toEqual(b);
  expect(a).toMatchObject({
    state: 'active',
    probe: false,
    subscription: { areaCodes: ['06029'] },
  });
  expect(JSON.stringify(a)).not.toContain(device.secret);
});

test('a removal leaves a tombstone on every site and is repeatable', async () => {
  const device = newDevice();
  await put(device);
  const remove = (secret: string) =>
    fetch(`${edge.url}/v1/subscriptions/${device.deviceId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${secret}` },
    });
  expect((await remove(randomBytes(16).toString('base64url'))).status).toBe(403);
  expect((await remove(device.secret)).status).toBe(204);
  expect((await remove(device.secret)).status).toBe(204);
  for (const nats of [natsA, natsB])
    expect(await lastRecord(nats, device.deviceId)).toMatchObject({
      state: 'removed',
      reason: 'unsubscribed',
    });
});

test.each([
  ['an endpoint inside our own network', { endpoint: 'https://10.0.0.8/x' }, 'address.endpoint'],
  [
    'a host that only looks like a push service',
    { endpoint: 'https://fcm.googleapis.com.evil.example/x' },
    'address.endpoint',
  ],
  ['a key that is no point of the curve', { p256dh: `BA${'A'.repeat(85)}` }, 'address.keys.p256dh'],
])('a registration with %s is refused by name', async (_what, wrong, field) => {
  const device = newDevice();
  const address = device.body['address'] as {
    endpoint: string;
    keys: { p256dh: string; auth: string };
  };
  const { endpoint = address.endpoint, p256dh = address.keys.p256dh } = wrong as {
    endpoint?: string;
    p256dh?: string;
  };
  const body = {
    ...device.body,
    address: { ...address, endpoint, keys: { ...address.keys, p256dh } },
  };
  const answer = await put({ ...device, body });
  expect(answer.status).toBe(422);
  expect(await answer.json()).toMatchObject({ errors: [{ field }] });
});

test('P6: the reserved area is for imported probes alone', async () => {
  const stranger = newDevice({ areaCodes: ['ZZ999'] });
  expect((await put(stranger)).status).toBe(422);
  const item = (areaCodes: string[], probe: boolean) => {
    const { deviceId, body } = newDevice({ areaCodes });
    return { subscription: { deviceId, ...body }, probe };
  };
  const probe = item(['ZZ999'], true);
  const items = [
    probe,
    item(['06088'], true),
    item(['ZZ999'], false),
    item(['06088'], false),
    { subscription: 1 },
  ];
  const answer = await internal('/v1/subscriptions:import', items);
  expect(answer.status).toBe(200);
  const result = (await answer.json()) as { imported: number; refused: unknown[] };
  expect(result.imported).toBe(2);
  expect(result.refused).toHaveLength(3);
  expect(await lastRecord(natsB, probe.subscription.deviceId)).toMatchObject({ probe: true });
});

test('an imported device cannot be changed by a stranger; an import keeps the secret that a device has set', async () => {
  const imported = newDevice();
  await internal('/v1/subscriptions:import', [
    { subscription: { deviceId: imported.deviceId, ...imported.body } },
  ]);
  expect((await put(imported)).status).toBe(403);

  const owned = newDevice();
  await put(owned);
  await internal('/v1/subscriptions:import', [
    { subscription: { deviceId: owned.deviceId, ...owned.body } },
  ]);
  expect((await put(owned)).status).toBe(200);
});

test('an import needs the internal token', async () => {
  const answer = await fetch(`${edge.url}/v1/subscriptions:import`, { method: 'POST', body: '[]' });
  expect(answer.status).toBe(401);
});

test('bad bodies get a clear answer, never 500', async () => {
  const device = newDevice();
  const at = `${edge.url}/v1/subscriptions/${device.deviceId}`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${device.secret}` };
  const send = (body: string) => fetch(at, { method: 'PUT', headers, body });
  expect((await send('{')).status).toBe(400);
  expect((await send('{}')).status).toBe(400);
  expect(
    (await send(JSON.stringify({ ...device.body, appVersion: 'x'.repeat(9000) }))).status,
  ).toBe(413);
  expect(
    (
      await fetch(at, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    ).status,
  ).toBe(401);
});

test('device receipts are counted by transport and action, and only the system reads the sums', async () => {
  const alertId = randomBytes(16).toString('hex');
  const receipt = {
    v: 1,
    alertId,
    transport: 'web-push',
    via: 'a',
    receivedAt: new Date().toISOString(),
  };
  for (const action of ['shown', 'shown', 'ignored']) {
    const answer = await fetch(`${edge.url}/v1/receipts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...receipt, action }),
    });
    expect(answer.status).toBe(204);
  }
  const counts = `${edge.url}/v1/alerts/${alertId}/receipts`;
  expect((await fetch(counts)).status).toBe(401);
  const answer = await fetch(counts, { headers: { authorization: `Bearer ${edge.token}` } });
  expect(await answer.json()).toEqual({ 'web-push': { shown: 2, ignored: 1 } });
});

test('an alert from the direct lane is on the page, in the list and on its own page, with strong ETags', async () => {
  const alert = testAlert({ identifier: 'direct-1', headline: 'Crue <éclair> & "Var"' });
  const { id, jws } = await signedEnvelope(alert, publicKey);
  expect(await (await internal('/v1/intake', jws)).json()).toEqual({
    v: 1,
    result: 'stored',
    site: 'a',
    node: 'a',
  });
  expect(await (await internal('/v1/intake', jws)).json()).toMatchObject({ result: 'duplicate' });

  const page = await fetch(`${edge.url}/alerts/${id}`);
  const text = await page.text();
  expect(text).toContain('Crue &lt;éclair&gt; &amp; &quot;Var&quot;');
  expect(text).toContain('Take shelter');
  expect(text).not.toContain('<script');
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(14 * 1024);
  expect(await (await fetch(edge.url)).text()).toContain(`/alerts/${id}`);
  for (const path of ['/', `/alerts/${id}`, '/v1/alerts/recent', '/sw.js']) {
    const etag = (await fetch(edge.url + path)).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{22}(-gzip)?"$/);
    expect((await fetch(edge.url + path, { headers: { 'if-none-match': etag } })).status).toBe(304);
  }
  expect((await fetch(`${edge.url}/v1/alerts/recent`)).headers.get('cache-control')).toContain(
    'max-age=5',
  );
});

test('an alert that came by the bus alone is on the page; its Cancel marks it', async () => {
  const alert = testAlert({ identifier: 'bus-1' });
  const { id, jws } = await signedEnvelope(alert, publicKey);
  const cancel = testAlert({ identifier: 'bus-1-cancel', msgType: 'Cancel', references: [alert] });
  const signedCancel = await signedEnvelope(cancel, publicKey);
  await publish(natsB, alertSubject({ audience: 'public', sender: alert.sender, id }), jws);
  const state = async () => {
    const { alerts } = (await (await fetch(`${edge.url}/v1/alerts/recent`)).json()) as {
      alerts: { id: string; state: string }[];
    };
    return alerts.find((each) => each.id === id)?.state;
  };
  await eventually('the alert is there', async () => (await state()) === 'active');
  await internal('/v1/intake', signedCancel.jws);
  expect(await state()).toBe('cancelled');
  expect(await (await fetch(`${edge.url}/alerts/${id}`)).text()).toContain('Annulée');
});

test('P8: what is not signed by a public key is not taken', async () => {
  const forged = await signedEnvelope(
    testAlert({ identifier: 'forged-1' }),
    createSigningKey('public', publicKey.kid),
  );
  expect((await internal('/v1/intake', forged.jws)).status).toBe(422);
  const byCanary = await signedEnvelope(testAlert({ identifier: 'forged-2' }), canaryKey);
  expect((await internal('/v1/intake', byCanary.jws)).status).toBe(422);
  const unasked = await fetch(`${edge.url}/v1/intake`, { method: 'POST', body: forged.jws });
  expect(unasked.status).toBe(401);
  expect((await fetch(`${edge.url}/alerts/${forged.id}`)).status).toBe(404);
});

test('browsers get the public keys alone, and a page that lets nothing foreign in', async () => {
  const keys = (await (await fetch(`${edge.url}/v1/keys`)).json()) as {
    keySet: { keys: { audience: string }[] };
  };
  expect(keys).toMatchObject({ vapidPublicKey: edge.vapid.publicKey });
  expect(keys.keySet.keys.map((each) => each.audience)).toEqual(['public']);
  const page = await fetch(edge.url, { headers: { 'accept-language': 'en-GB,en;q=0.9' } });
  expect(page.headers.get('content-language')).toBe('en');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(await page.text()).not.toMatch(
    / style=|<script(?! type="module" src="\/page\.js")| on\w+="/,
  );
});

test('a site that was away is brought up to date; with no site at all the answer is 503 with Retry-After', async () => {
  const device = newDevice();
  await natsB.kill('SIGKILL');
  const stored = (await (await put(device)).json()) as { storedBy: string[] };
  expect(stored.storedBy).toEqual(['a']);
  await natsA.kill('SIGKILL');
  const none = await put(newDevice());
  expect(none.status).toBe(503);
  expect(Number(none.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await fetch(edge.url)).status).toBe(200);
  await Promise.all([natsA.restart(), natsB.restart()]);
  const record = await eventually(
    'the site has the record',
    () => lastRecord(natsB, device.deviceId),
    15_000,
  );
  expect(record).toMatchObject({ state: 'active', subscription: { deviceId: device.deviceId } });
}, 40_000);

test('P10: an address that asks too often is told when to come again', async () => {
  const slow = await startTestEdge({ keySet, sites: [], env: { REGISTRATIONS_PER_MINUTE: '2' } });
  try {
    const device = newDevice();
    const ask = () =>
      fetch(`${slow.url}/v1/subscriptions/${device.deviceId}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${device.secret}` },
      });
    const statuses = [(await ask()).status, (await ask()).status];
    const limited = await ask();
    expect([...statuses, limited.status]).toEqual([503, 503, 429]);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  } finally {
    await slow.close();
  }
});

test('an alert that missed both lanes comes from a dispatcher’s journal', async () => {
  const { id, jws } = await signedEnvelope(testAlert({ identifier: 'journal-1' }), publicKey);
  const journal = createServer((request, response) => {
    const first = !request.url?.includes('since=1.0');
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ cursor: '1.0', entries: first ? [{ id, jws }] : [], receipts: [] }),
    );
  }).listen(0, '127.0.0.1');
  await once(journal, 'listening');
  const url = `http://127.0.0.1:${(journal.address() as AddressInfo).port}`;
  const lonely = await startTestEdge({
    keySet,
    sites: [],
    env: { DISPATCHERS: JSON.stringify([{ name: 'a', site: 'a', url }]) },
  });
  try {
    await eventually(
      'the alert has its page',
      async () => (await fetch(`${lonely.url}/alerts/${id}`)).ok,
    );
  } finally {
    await lonely.close();
    journal.closeAllConnections();
    journal.close();
  }
});

test('a restarted edge has its alerts from disk, verified again', async () => {
  const first = await startTestEdge({ keySet, sites: [] });
  const { id, jws } = await signedEnvelope(testAlert({ identifier: 'kept-1' }), publicKey);
  await fetch(`${first.url}/v1/intake`, {
    method: 'POST',
    headers: { authorization: `Bearer ${first.token}`, 'content-type': 'application/jose' },
    body: jws,
  });
  await first.close({ keepData: true });
  const again = await startTestEdge({ keySet, sites: [], dataDir: first.dataDir });
  expect((await fetch(`${again.url}/alerts/${id}`)).status).toBe(200);
  await again.close({ keepData: true });
  const otherKeys = publicHalves(createSigningKey('public', 'another'));
  const untrusting = await startTestEdge({ keySet: otherKeys, sites: [], dataDir: first.dataDir });
  expect((await fetch(`${untrusting.url}/alerts/${id}`)).status).toBe(404);
  await untrusting.close();
});

async function publish(nats: TestNats, subject: string, data: string): Promise<void> {
  const connection = await connectAs(nats, 'ingest');
  try {
    const manager = await jetstreamManager(connection);
    // The edge may only read alerts: the stream is made by those who write it.
    await ensureStream(manager, declareStreams(1).ALERTS);
    await connection.request(subject, data);
  } finally {
    await connection.close();
  }
}
