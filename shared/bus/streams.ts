import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';

const SECONDS = 1_000_000_000;
const DAYS = 24 * 3600 * SECONDS;
const MIB = 1024 * 1024;

type Declaration = Pick<
  StreamConfig,
  | 'name'
  | 'subjects'
  | 'max_age'
  | 'max_bytes'
  | 'max_msgs_per_subject'
  | 'duplicate_window'
  | 'discard'
  | 'allow_msg_ttl'
  | 'num_replicas'
  | 'storage'
  | 'retention'
> &
  Partial<Pick<StreamConfig, 'allow_direct'>>;

export type StreamName = 'ALERTS' | 'REGISTRY' | 'RECEIPTS' | 'PROOFS';

const FILE_STREAM = {
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  allow_msg_ttl: true,
} as const;

/**
 * Every stream, declared in this one place. The duplicate window is as long as the retention, so that a repeat with the
 * same message id is one message however late it comes. ALERTS drops its oldest when full: a new alert is never refused
 * for the sake of an old one. REGISTRY refuses when full: a device's last state must not fall out.
 */
export function declareStreams(replicas: number): Record<StreamName, Declaration> {
  const common = { ...FILE_STREAM, num_replicas: replicas };
  return {
    ALERTS: {
      ...common,
      name: 'ALERTS',
      subjects: ['alert.>'],
      max_age: 7 * DAYS,
      max_bytes: 1024 * MIB,
      max_msgs_per_subject: -1,
      duplicate_window: 7 * DAYS,
      discard: DiscardPolicy.Old,
      // Lets ingest look one alert up, which its user may do by direct get and not otherwise.
      allow_direct: true,
    },
    REGISTRY: {
      ...common,
      name: 'REGISTRY',
      subjects: ['registry.*'],
      max_age: 0,
      max_bytes: 4096 * MIB,
      max_msgs_per_subject: 1,
      duplicate_window: 120 * SECONDS,
      discard: DiscardPolicy.New,
      // A direct get names the device in its subject, so that the edge's user may ask for nothing else.
      allow_direct: true,
    },
    RECEIPTS: {
      ...common,
      name: 'RECEIPTS',
      subjects: ['receipt.>'],
      max_age: 2 * DAYS,
      max_bytes: 512 * MIB,
      max_msgs_per_subject: 1,
      duplicate_window: 120 * SECONDS,
      discard: DiscardPolicy.Old,
    },
    PROOFS: {
      ...common,
      name: 'PROOFS',
      subjects: ['proof.>'],
      max_age: 1 * DAYS,
      max_bytes: 64 * MIB,
      max_msgs_per_subject: 1440,
      duplicate_window: 120 * SECONDS,
      discard: DiscardPolicy.Old,
    },
  };
}

/** The server holds a stream of this name with other settings. Using it could lose what we promise to keep. */
class StreamMismatchError extends Error {
  override readonly name = 'StreamMismatchError';
}

/** JetStream API error: stream not found. */
const NOT_FOUND = 404;

/**
 * Creates the stream where it is missing and compares it field by field where it is there.
 * Rejects with StreamMismatchError, which names the fields.
 */
export async function ensureStream(
  manager: JetStreamManager,
  declared: Declaration,
): Promise<void> {
  let found: StreamConfig;
  try {
    found = (await manager.streams.info(declared.name)).config;
  } catch (error) {
    if ((error as { code?: unknown }).code !== NOT_FOUND && !/not found/i.test(String(error)))
      throw error;
    await manager.streams.add(declared);
    return;
  }
  const differing = (Object.keys(declared) as (keyof Declaration)[]).filter(
    (field) => JSON.stringify(found[field]) !== JSON.stringify(declared[field]),
  );
  if (differing.length > 0)
    throw new StreamMismatchError(
      `stream ${declared.name} differs from what is declared: ${differing.join(', ')}`,
    );
}
