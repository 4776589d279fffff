import { z } from 'zod';
import type { StreamName } from '../../../shared/bus/streams.ts';

/** The streams that every bus has to have; others that a server may hold are none of our business, and no label. */
export const WATCHED_STREAMS = [
  'ALERTS',
  'REGISTRY',
  'RECEIPTS',
  'PROOFS',
] as const satisfies readonly StreamName[];
export type WatchedStream = (typeof WATCHED_STREAMS)[number];

const Count = z.number().nonnegative();

/** `/varz` of nats-server: what is read of it. */
export const Varz = z.object({ connections: Count, slow_consumers: Count });

/** `/jsz?accounts=1&streams=1&config=1&consumers=1`: what is read of it. */
export const Jsz = z.object({
  config: z.object({ sync_always: z.boolean().optional(), max_storage: z.number().optional() }),
  storage: Count.default(0),
  api: z.object({ errors: Count.default(0) }).default({ errors: 0 }),
  account_details: z
    .array(
      z.object({
        stream_detail: z
          .array(
            z.object({
              name: z.string(),
              config: z.object({ max_bytes: z.number().optional() }).optional(),
              state: z.object({ messages: Count, bytes: Count }),
              consumer_detail: z
                .array(z.object({ num_pending: Count.default(0) }))
                .max(5_000)
                .optional(),
            }),
          )
          .max(500)
          .optional(),
      }),
    )
    .max(500)
    .optional(),
});
export type Jsz = z.infer<typeof Jsz>;

export interface StreamFigures {
  readonly stream: WatchedStream;
  readonly messages: number;
  readonly bytes: number;
  /** -1 or 0: none. */
  readonly limitBytes: number;
  readonly consumers: number;
  /** Messages that the consumer which is furthest behind has not been given yet. */
  readonly pending: number;
}

/** What JetStream says of itself, as far as we read it. */
export interface JetStreamFigures {
  readonly syncAlways: boolean;
  readonly storageBytes: number;
  readonly storageLimitBytes: number;
  readonly apiErrors: number;
  /** Those of {@link WATCHED_STREAMS} that are there. */
  readonly streams: readonly StreamFigures[];
}

/** Pure. A stream of the same name in another account does not count twice: the first one is ours. */
export function figuresOf(jsz: Jsz): JetStreamFigures {
  const all = (jsz.account_details ?? []).flatMap(({ stream_detail }) => stream_detail ?? []);
  return {
    syncAlways: jsz.config.sync_always === true,
    storageBytes: jsz.storage,
    storageLimitBytes: jsz.config.max_storage ?? 0,
    apiErrors: jsz.api.errors,
    streams: WATCHED_STREAMS.flatMap((stream) => {
      const found = all.find(({ name }) => name === stream);
      if (found === undefined) return [];
      const consumers = found.consumer_detail ?? [];
      const pending = consumers.reduce((most, each) => Math.max(most, each.num_pending), 0);
      return [
        {
          stream,
          messages: found.state.messages,
          bytes: found.state.bytes,
          limitBytes: found.config?.max_bytes ?? 0,
          consumers: consumers.length,
          pending,
        },
      ];
    }),
  };
}
