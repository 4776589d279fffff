import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { declareStreams, ensureStream } from '../../shared/bus/streams.ts';
import { startNats, type TestNats } from '../support/nats-server.ts';

let nats: TestNats;
let connection: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  nats = await startNats({ syncAlways: false });
  connection = await connect({ servers: nats.url });
  manager = await jetstreamManager(connection);
}, 60_000);

afterAll(async () => {
  await connection?.close();
  await nats?.close();
});

test('every declared stream is created once, and found to be as declared afterwards', async () => {
  for (const declaration of Object.values(declareStreams(1))) {
    await ensureStream(manager, declaration);
    await ensureStream(manager, declaration);
  }
});

test('a stream that differs is refused by the names of the fields, and left as it is', async () => {
  const { REGISTRY } = declareStreams(1);
  const changed = { ...REGISTRY, allow_direct: false, max_msgs_per_subject: 5 };
  await manager.streams.update('REGISTRY', changed);
  await expect(ensureStream(manager, REGISTRY)).rejects.toThrow(
    /^stream REGISTRY differs from what is declared: (max_msgs_per_subject, allow_direct|allow_direct, max_msgs_per_subject)$/,
  );
  expect((await manager.streams.info('REGISTRY')).config.max_msgs_per_subject).toBe(5);
});
