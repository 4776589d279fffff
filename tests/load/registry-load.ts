import { randomBytes } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { declareStreams } from '../../shared/bus/streams.ts';
import { registrySubject } from '../../shared/bus/subjects.ts';
import type { RegistryRecord } from '../../shared/subscription/registry-record.ts';

/** The area of every tenth device. */
export const SCANNED_AREA = '06088';

/** The server takes at most 1,000 messages as one. */
const BATCH = 1_000;
/** Batches that are on their way at a time. */
const LANES = 4;

export interface Loader {
  /** Registers devices [from, to); resolves when the server has them on disk. */
  readonly register: (from: number, to: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Fills a REGISTRY stream as an import would, many records to one acknowledgement. */
export async function openLoader(url: string): Promise<Loader> {
  const connection = await connect({ servers: url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ ...declareStreams(1).REGISTRY, allow_atomic: true });
  const ids: string[] = [];
  return {
    register: async (from, to) => {
      let next = from;
      const lane = async () => {
        while (next < to) {
          const start = next;
          next = Math.min(next + BATCH, to);
          await publish(
            connection,
            Array.from({ length: next - start }, (_, i) => record(start + i, ids)),
          );
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    },
    close: () => connection.close(),
  };
}

async function publish(
  connection: NatsConnection,
  records: readonly { subject: string; data: string }[],
): Promise<void> {
  const [first, ...others] = records;
  const last = others.pop();
  if (!first) return;
  const client = jetstream(connection, { timeout: 60_000 });
  if (!last) {
    await client.publish(first.subject, first.data);
    return;
  }
  const batch = await client.startBatch(first.subject, first.data);
  for (const { subject, data } of others) batch.add(subject, data);
  await batch.commit(last.subject, last.data, { timeout: 60_000 });
}

let version = Date.now();

/** As phones register: an FCM token of 163 characters and one commune, for every fifth two. */
function record(i: number, ids: string[]): { subject: string; data: string } {
  const deviceId = ids[i] ?? `${randomBytes(16).toString('base64url')}`;
  ids[i] = deviceId;
  const commune = String(21_000 + ((i * 7_919) % 70_000));
  const record: RegistryRecord = {
    v: 1,
    state: 'active',
    version: ++version,
    probe: false,
    lastHeardAt: '2026-07-14T20:00:00.000Z',
    subscription: {
      deviceId,
      address: {
        transport: 'fcm',
        token: `${deviceId}:APA91b${randomBytes(100).toString('base64url')}`,
      },
      areaCodes: [i % 10 === 0 ? SCANNED_AREA : commune, ...(i % 5 === 0 ? ['75056'] : [])],
      language: 'fr-FR',
      appVersion: '1.0.0',
    },
    secretHash: randomBytes(32).toString('base64url'),
  };
  return { subject: registrySubject(deviceId), data: JSON.stringify(record) };
}
