import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { ActiveRecord } from '../../shared/subscription/registry-record.ts';

/** The newest registered device on a bus, undefined when there is none. */
export async function lastDevice(natsUrl: string): Promise<ActiveRecord | undefined> {
  const connection = await connect({ servers: natsUrl });
  try {
    const manager = await jetstreamManager(connection);
    const stored = await manager.streams.getMessage('REGISTRY', { last_by_subj: 'registry.*' });
    return stored === null ? undefined : ActiveRecord.parse(stored.json());
  } finally {
    await connection.close();
  }
}
