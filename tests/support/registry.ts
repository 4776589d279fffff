import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { RegistryRecord } from '../../shared/subscription/registry-record.ts';

/** The last change of any device on a bus, undefined when there is none. */
export async function lastChange(natsUrl: string): Promise<RegistryRecord | undefined> {
  const connection = await connect({ servers: natsUrl });
  try {
    const manager = await jetstreamManager(connection);
    const stored = await manager.streams.getMessage('REGISTRY', { last_by_subj: 'registry.*' });
    return stored === null ? undefined : RegistryRecord.parse(stored.json());
  } finally {
    await connection.close();
  }
}
