import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiError,
  type JsMsg,
  ReplayPolicy,
} from '@nats-io/jetstream';
import { errorFields } from '../log/error-fields.ts';
import type { Logger } from '../log/logger.ts';
import { sleep } from '../time/sleep.ts';
import type { JetStreamHandles, SiteBus } from './site-bus.ts';
import type { StreamName } from './streams.ts';

/** A cursor in one site's stream. `created` tells a stream from its successor after the site lost its disk. */
export interface StreamCursor {
  readonly created: string;
  readonly sequence: number;
}

export interface BusMessage {
  readonly subject: string;
  readonly data: string;
  readonly cursor: StreamCursor;
  /** When the server stored it, by the server's clock (ms since 1970). */
  readonly storedAtMs: number;
  /** The span of the send that brought it, if its writer named one. */
  readonly traceparent: string | undefined;
}

interface Deps {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** A consumer that says nothing, not even a heartbeat, for this long is made anew. */
const SILENCE_LIMIT_HEARTBEATS = 3;
const RETRY_MS = 300;
const AT_A_TIME = 256;

/**
 * A durable consumer that nobody has read with for so long is removed by the server. It is as long as ALERTS keeps a
 * message: whoever comes back later finds nothing that its position would have spared it. Without this the consumer of a
 * journal that was lost would stay for good, as nobody will ever come by its name again.
 */
export const DURABLE_FORGOTTEN_AFTER_MS = 7 * 24 * 3600 * 1000;
const NANOS_PER_MS = 1_000_000;

interface DurableName {
  readonly stream: StreamName;
  readonly durable: string;
  /** Default {@link DURABLE_FORGOTTEN_AFTER_MS}. */
  readonly forgottenAfterMs?: number;
}

/** JetStream API error: there is a consumer of this name, with other settings. */
const CONSUMER_EXISTS = 10_148;

/** One from before it had this limit is given it, and keeps its position. */
async function ensureDurable({ manager }: JetStreamHandles, what: DurableName): Promise<void> {
  const config = durableConfig(what);
  try {
    await manager.consumers.add(what.stream, config);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_EXISTS) throw error;
    await manager.consumers.update(what.stream, what.durable, config);
  }
}

function durableConfig({ durable, forgottenAfterMs }: DurableName): Partial<ConsumerConfig> {
  return {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: 10_000_000_000,
    max_deliver: -1,
    max_ack_pending: 1_000,
    inactive_threshold: (forgottenAfterMs ?? DURABLE_FORGOTTEN_AFTER_MS) * NANOS_PER_MS,
  };
}

/**
 * Hands every message of a stream to `handle` at least once, by a durable consumer: the position is the server's, so a
 * restart goes on where it was. A message is acknowledged after `handle` has resolved; when it rejects it comes again.
 * Runs until the signal aborts; survives the bus.
 */
export async function consumeDurable(
  bus: SiteBus,
  what: DurableName,
  handle: (message: BusMessage) => Promise<void>,
  deps: Deps,
): Promise<void> {
  await untilAborted(
    bus,
    deps,
    async (handles, created) => {
      await ensureDurable(handles, what);
      const consumer = await handles.client.consumers.get(what.stream, what.durable);
      const isStale = createdAnew(bus, what.stream, created);
      await pump(consumer, { signal: deps.signal, isStale }, async (message) => {
        try {
          await handle(toBusMessage(message, created));
          message.ack();
        } catch (error) {
          deps.log.warn({ ...errorFields(error), stream: what.stream }, 'message will come again');
          message.nak(1_000);
        }
      });
    },
    what.stream,
  );
}

/**
 * Tells whether the stream is another one than at `created`: a server that lost its disk comes back without the
 * consumer, and asking it for messages of that goes on without an error. Looked into once after each reconnection.
 */
function createdAnew(bus: SiteBus, stream: StreamName, created: string): () => boolean {
  let asked = bus.jetStream;
  let isAnother = false;
  return () => {
    const handles = bus.jetStream;
    if (handles && handles !== asked) {
      asked = handles;
      handles.manager.streams.info(stream).then(
        (info) => {
          isAnother ||= String(info.created) !== created;
        },
        () => {
          asked = undefined;
        },
      );
    }
    return isAnother;
  };
}

/** Where to begin: after a cursor of our own, or with what is younger than some instant. */
export type FollowStart =
  | { readonly after: StreamCursor | undefined }
  | { readonly sinceMs: number };

/**
 * Follows a stream from a position that the caller keeps: nothing is acknowledged, and when the bus was away the caller
 * is read on from its own cursor. A stream that was created anew is read from its beginning.
 */
export async function followStream(
  bus: SiteBus,
  what: {
    stream: StreamName;
    start: () => FollowStart;
    onCaughtUp?: () => void;
    /** Messages asked for at a time; more for a stream of many small ones. */
    atATime?: number;
  },
  /** What it returns is awaited before the next message: a reader of very many lets other work have its turn. */
  handle: (message: BusMessage) => void | Promise<void>,
  deps: Deps,
): Promise<void> {
  let sinceDone = false;
  let last: StreamCursor | undefined;
  await untilAborted(
    bus,
    deps,
    async (handles, created) => {
      const start = what.start();
      const after = 'after' in start ? start.after : last;
      const fromSequence = after?.created === created ? after.sequence + 1 : 1;
      const bySince = 'sinceMs' in start && !sinceDone;
      const info = await handles.manager.consumers.add(what.stream, {
        // Named, so that a user may be allowed to follow one stream: the name stands in the request's subject.
        name: `follow-${crypto.randomUUID()}`,
        ack_policy: AckPolicy.None,
        replay_policy: ReplayPolicy.Instant,
        inactive_threshold: 30_000_000_000,
        mem_storage: true,
        ...(bySince
          ? {
              deliver_policy: DeliverPolicy.StartTime,
              opt_start_time: new Date(start.sinceMs).toISOString(),
            }
          : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: fromSequence }),
      });
      if (info.num_pending === 0) what.onCaughtUp?.();
      const consumer = await handles.client.consumers.get(what.stream, info.name);
      // Nothing is acknowledged, so what the server sent into a connection that had just died never comes again: a hole
      // in the consumer's own numbers, or a new connection, ends this round, and the next one reads on from the cursor.
      const isStale = () => bus.jetStream !== handles;
      let expected = 1;
      const asked = { signal: deps.signal, isStale, atATime: what.atATime ?? AT_A_TIME };
      await pump(consumer, asked, async (message) => {
        if (message.info.deliverySequence !== expected)
          throw new Error(
            `a delivery was missed: ${message.info.deliverySequence} for ${expected}`,
          );
        expected++;
        sinceDone = true;
        const busMessage = toBusMessage(message, created);
        const handled = handle(busMessage);
        if (handled !== undefined) await handled;
        last = busMessage.cursor;
        if (message.info.pending === 0) what.onCaughtUp?.();
      });
    },
    what.stream,
  );
}

async function untilAborted(
  bus: SiteBus,
  { log, signal }: Deps,
  round: (handles: JetStreamHandles, created: string) => Promise<void>,
  stream: StreamName,
): Promise<void> {
  while (!signal.aborted) {
    const handles = bus.jetStream;
    if (handles) {
      try {
        const info = await handles.manager.streams.info(stream);
        await round(handles, String(info.created));
      } catch (error) {
        log.debug(
          { ...errorFields(error), stream, bus: bus.site },
          'reading the bus was interrupted',
        );
      }
    }
    await sleep(RETRY_MS, signal);
  }
}

/** Reads until the consumer falls silent or is stale, the connection ends or the signal aborts. */
async function pump(
  consumer: Consumer,
  {
    signal,
    isStale = () => false,
    atATime = AT_A_TIME,
  }: { signal: AbortSignal; isStale?: () => boolean; atATime?: number },
  handle: (message: JsMsg) => Promise<void>,
): Promise<void> {
  const messages = await consumer.consume({
    max_messages: atATime,
    expires: 5_000,
    idle_heartbeat: 1_000,
  });
  const stop = () => messages.stop();
  signal.addEventListener('abort', stop, { once: true });
  // It may have been aborted while the consumer was made: then the listener never hears of it.
  if (signal.aborted) stop();
  const watch = setInterval(() => {
    if (isStale()) messages.stop();
  }, RETRY_MS);
  void (async () => {
    for await (const status of messages.status()) {
      if (status.type === 'heartbeats_missed' && status.count >= SILENCE_LIMIT_HEARTBEATS)
        messages.stop();
      if (status.type === 'consumer_deleted' || status.type === 'stream_not_found') messages.stop();
    }
  })();
  try {
    for await (const message of messages) await handle(message);
  } finally {
    clearInterval(watch);
    signal.removeEventListener('abort', stop);
    messages.stop();
  }
}

function toBusMessage(message: JsMsg, created: string): BusMessage {
  return {
    subject: message.subject,
    data: message.string(),
    cursor: { created, sequence: message.seq },
    storedAtMs: Math.round(message.info.timestampNanos / 1_000_000),
    traceparent: message.headers?.get('traceparent') || undefined,
  };
}
