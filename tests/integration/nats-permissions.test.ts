import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { NatsUser } from '../../deploy/nats/server-config.ts';
import { declareStreams, ensureStream } from '../../shared/bus/streams.ts';
import { startNats, type TestNats } from '../support/nats-server.ts';

let nats: TestNats;
const connections: NatsConnection[] = [];

async function as(user: NatsUser): Promise<NatsConnection> {
  const connection = await connect({
    servers: nats.url,
    user,
    pass: nats.passwords[user],
    reconnect: false,
  });
  connections.push(connection);
  return connection;
}

const manage = (connection: NatsConnection) =>
  jetstreamManager(connection, { checkAPI: false, timeout: 3_000 });

/** Messages in a stream, and those of them under a subject. */
async function stored(stream: string, subject: string): Promise<number> {
  const info = await (await manage(await as('dispatcher'))).streams.info(stream, {
    subjects_filter: subject,
  });
  return Object.keys(info.state.subjects ?? {}).length;
}

beforeAll(async () => {
  nats = await startNats({ users: true });
  const manager = await manage(await as('dispatcher'));
  for (const declaration of Object.values(declareStreams(1)))
    await ensureStream(manager, declaration);
}, 60_000);

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await nats.close();
});

test('the canary publishes a proof from its own account and gets the acknowledgement', async () => {
  const ack = await jetstream(await as('canary')).publish('proof.a.a-bus-a-fcm', '{}');
  expect(ack.stream).toBe('PROOFS');
  expect(await stored('PROOFS', 'proof.a.a-bus-a-fcm')).toBe(1);
});

test('P6: the canary cannot put anything under alert.>, not even through a reply subject', async () => {
  const canary = await as('canary');
  const alert = 'alert.public.pref06.forged';
  const tricks: (() => void)[] = [
    () => canary.publish(alert, 'forged'),
    () => canary.publish('proof.a.x', 'forged', { reply: alert }),
    () => canary.publish('$JS.API.STREAM.INFO.ALERTS', '', { reply: alert }),
    () => canary.publish('$JS.API.STREAM.MSG.GET.PROOFS', '{"seq":1}', { reply: alert }),
    () => canary.publish('$JS.API.CONSUMER.MSG.NEXT.ALERTS.any', '', { reply: alert }),
    () =>
      canary.publish(
        '$JS.API.CONSUMER.CREATE.PROOFS',
        JSON.stringify({
          stream_name: 'PROOFS',
          config: { deliver_subject: alert, ack_policy: 'none' },
        }),
        { reply: '_INBOX.x' },
      ),
  ];
  for (const trick of tricks) trick();
  await canary.flush();
  // A proof after the tricks, acknowledged: whatever they could cause has happened before it.
  await jetstream(canary).publish('proof.a.last', '{}');
  await canary.flush();
  expect(await stored('ALERTS', 'alert.>')).toBe(0);
});

test('the canary sees neither alerts nor subscriptions', async () => {
  const canary = await as('canary');
  await expect((await manage(canary)).streams.info('REGISTRY')).rejects.toThrow(/permission/i);
  const denied = new Promise<string>((resolve) => {
    canary.subscribe('alert.>', { callback: (error) => resolve(String(error)) });
  });
  expect(await denied).toMatch(/permissions violation/i);
});

test('P6: an edge follows alerts and writes subscriptions, but cannot publish an alert or follow the registry', async () => {
  const edge = await as('edge');
  await expect(
    jetstream(edge).publish('alert.public.pref06.forged', 'x', { timeout: 1_000 }),
  ).rejects.toThrow();
  const followed = await (await manage(edge)).consumers.add('ALERTS', {
    ack_policy: AckPolicy.None,
  });
  expect(followed.stream_name).toBe('ALERTS');
  await expect((await manage(edge)).consumers.add('REGISTRY', { name: 'spy' })).rejects.toThrow();
  expect(await stored('ALERTS', 'alert.public.>')).toBe(0);
  const ack = await jetstream(edge).publish('registry.AAAAAAAAAAAAAAAAAAAAAA', '{}');
  expect(ack.stream).toBe('REGISTRY');
});

test('an edge looks up the one device that it can name, and cannot read the registry by sequence or in bulk', async () => {
  const edge = await as('edge');
  const deviceId = 'BBBBBBBBBBBBBBBBBBBBBB';
  await jetstream(edge).publish(`registry.${deviceId}`, '{"mine":1}');
  const manager = await manage(edge);
  const found = await manager.direct.getMessage('REGISTRY', {
    last_by_subj: `registry.${deviceId}`,
  });
  expect(found?.string()).toBe('{"mine":1}');
  const nobody = { last_by_subj: 'registry.CCCCCCCCCCCCCCCCCCCCCC' };
  expect(await manager.direct.getMessage('REGISTRY', nobody)).toBeNull();
  await expect(manager.direct.getMessage('REGISTRY', { seq: 1 })).rejects.toThrow(/permission/i);
  await expect(manager.streams.getMessage('REGISTRY', { seq: 1 })).rejects.toThrow(/permission/i);
  const bulk = '{"batch":100,"next_by_subj":"registry.>"}';
  await expect(edge.request('$JS.API.DIRECT.GET.REGISTRY', bulk)).rejects.toThrow(/permission/i);
  const filtered = await edge.request('$JS.API.DIRECT.GET.REGISTRY.registry.>', bulk);
  expect(filtered.headers?.description).toBe('Bad Request');
  // What is left: a star in the place of the id brings the one device that was written last.
  const starred = await edge.request('$JS.API.DIRECT.GET.REGISTRY.registry.*');
  expect(starred.headers?.get('Nats-Subject')).toBe(`registry.${deviceId}`);
});

test('ingest creates its stream, publishes once for one message id, and reads nothing of the registry', async () => {
  const ingest = await as('ingest');
  await ensureStream(await manage(ingest), declareStreams(1).ALERTS);
  const client = jetstream(ingest);
  const subject = 'alert.public.pref06.one';
  expect((await client.publish(subject, 'x', { msgID: 'one' })).duplicate).toBe(false);
  expect((await client.publish(subject, 'x', { msgID: 'one' })).duplicate).toBe(true);
  await expect((await manage(ingest)).streams.info('REGISTRY')).rejects.toThrow(/permission/i);
});

test('P1: an acknowledged message is there after kill -9 and restart', async () => {
  const ack = await jetstream(await as('canary')).publish('proof.a.before-kill', '{}');
  expect(ack.duplicate).toBe(false);
  await nats.kill('SIGKILL');
  await nats.restart();
  expect(await stored('PROOFS', 'proof.a.before-kill')).toBe(1);
});
