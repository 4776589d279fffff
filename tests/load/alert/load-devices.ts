import { randomBytes } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { declareStreams } from '../../../shared/bus/streams.ts';
import { registrySubject } from '../../../shared/bus/subjects.ts';
import type { ActiveRecord } from '../../../shared/subscription/registry-record.ts';
import type { PushAddress } from '../../../shared/subscription/subscription.ts';
import { createReceiverKeys } from '../../../shared/web-push/decrypt.ts';

/** The server takes at most 1,000 messages as one. */
const BATCH = 1_000;
/** Batches that are on their way at a time. */
const LANES = 4;
/** Key pairs that the browsers share; each has an authentication secret of its own, so that its record is its own. */
const KEY_PAIRS = 2_000;
const ACK_MS = 60_000;

export interface Bus {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface Crowd {
  /** How many devices each area has. */
  readonly areas: readonly { readonly code: string; readonly devices: number }[];
  /** Of the push service that its browsers have subscribed with. */
  readonly pushOrigin: string;
}

interface Line {
  readonly subject: string;
  readonly data: string;
}

/** Writes a crowd, half FCM and half Web Push, into the REGISTRY stream of every site, as an import would. */
export async function loadDevices(
  buses: readonly Bus[],
  crowd: Crowd,
  onLoaded: (devices: number) => void,
): Promise<void> {
  const connections = await Promise.all(
    buses.map(({ url, user, password }) => connect({ servers: url, user, pass: password })),
  );
  try {
    for (const connection of connections) await allowBatches(connection);
    const lines = recordsOf(crowd);
    let loaded = 0;
    const lane = async () => {
      for (let batch = take(lines); batch.length > 0; batch = take(lines)) {
        await Promise.all(connections.map((connection) => publish(connection, batch)));
        loaded += batch.length;
        onLoaded(loaded);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

async function allowBatches(connection: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(connection);
  await manager.streams.update('REGISTRY', {
    ...declareStreams(1).REGISTRY,
    allow_atomic: true,
  });
}

function take(lines: Iterator<Line>): Line[] {
  const batch: Line[] = [];
  while (batch.length < BATCH) {
    const next = lines.next();
    if (next.done === true) break;
    batch.push(next.value);
  }
  return batch;
}

async function publish(connection: NatsConnection, lines: readonly Line[]): Promise<void> {
  const [first, ...others] = lines;
  const last = others.pop();
  if (!first) return;
  const client = jetstream(connection, { timeout: ACK_MS });
  if (!last) {
    await client.publish(first.subject, first.data);
    return;
  }
  const batch = await client.startBatch(first.subject, first.data);
  for (const { subject, data } of others) batch.add(subject, data);
  await batch.commit(last.subject, last.data, { timeout: ACK_MS });
}

function* recordsOf({ areas, pushOrigin }: Crowd): Generator<Line> {
  const points = Array.from({ length: KEY_PAIRS }, () => createReceiverKeys().publicKey);
  let version = Date.now();
  let made = 0;
  for (const { code, devices } of areas)
    for (let i = 0; i < devices; i++) {
      const deviceId = randomBytes(16).toString('base64url');
      const p256dh = points[made++ % KEY_PAIRS];
      const address: PushAddress =
        i % 2 === 0 || !p256dh
          ? {
              transport: 'fcm',
              token: `${deviceId}:APA91b${randomBytes(100).toString('base64url')}`,
            }
          : {
              transport: 'web-push',
              endpoint: `${pushOrigin}/wpush/v2/${randomBytes(90).toString('base64url')}`,
              keys: { p256dh, auth: randomBytes(16).toString('base64url') },
            };
      const record: ActiveRecord = {
        v: 1,
        state: 'active',
        version: ++version,
        probe: false,
        lastHeardAt: new Date().toISOString(),
        subscription: {
          deviceId,
          address,
          areaCodes: [code],
          language: 'fr-FR',
          appVersion: 'bench',
        },
      };
      yield { subject: registrySubject(deviceId), data: JSON.stringify(record) };
    }
}
