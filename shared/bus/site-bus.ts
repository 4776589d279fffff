import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { readTextFile } from '../config/read-file.ts';
import { errorFields } from '../log/error-fields.ts';
import type { Logger } from '../log/logger.ts';
import { sleep } from '../time/sleep.ts';
import type { BusSite } from './bus-config.ts';
import { syncsEveryWrite } from './server-check.ts';
import { declareStreams, ensureStream, type StreamName } from './streams.ts';

/** The site's bus cannot be used now. Nothing is known about what was being published: repeat with the same id. */
class BusUnavailableError extends Error {
  override readonly name = 'BusUnavailableError';
}

export interface SiteBusOptions {
  readonly site: BusSite;
  /** Shown in the server's list of connections. */
  readonly clientName: string;
  /** Streams to create where missing and to compare. Empty for a client that may only publish. */
  readonly streams: readonly StreamName[];
  /** Take a bus that does not sync each write (development only). */
  readonly allowUnsynced: boolean;
}

interface PublishOptions {
  readonly timeoutMs: number;
  /** Repeats with the same id are one message. */
  readonly msgId?: string;
  readonly ttlSeconds?: number;
  /** Store it only if its subject has no message. */
  readonly expectAbsent?: boolean;
  /** The span of this send, as the message's header `traceparent`. */
  readonly traceparent?: string | undefined;
}

function traceHeaders(traceparent: string) {
  const all = headers();
  all.set('traceparent', traceparent);
  return all;
}

/** nats-server's error code for an expected sequence that is not the last one. */
const WRONG_LAST_SEQUENCE = 10_071;

export interface JetStreamHandles {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

/**
 * One site's bus, used as long as it is there: connects in the background, for ever, and never keeps a service from
 * starting. A server that does not sync, or a stream that differs from the declaration, is refused: not used, and said
 * so (`refusal`), until it is put right.
 */
export class SiteBus {
  readonly site: string;
  readonly #options: SiteBusOptions;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #opening: Promise<void>;
  #connection: NatsConnection | undefined;
  #handles: JetStreamHandles | undefined;
  #connected = false;
  #refusal: string | undefined;

  constructor(options: SiteBusOptions, log: Logger) {
    this.site = options.site.site;
    this.#options = options;
    this.#log = log.child({ bus: this.site });
    this.#opening = this.#open();
  }

  /** True when the site's bus is connected, checked and usable. */
  get ready(): boolean {
    return this.#connected && this.#handles !== undefined;
  }

  /** Why the bus is refused although it answers. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** JetStream of this site, or undefined while it cannot be used. */
  get jetStream(): JetStreamHandles | undefined {
    return this.ready ? this.#handles : undefined;
  }

  /** Publishes and waits until it is stored. Rejects with BusUnavailableError: then nothing is known. */
  async publish(subject: string, data: string, options: PublishOptions): Promise<void> {
    const handles = this.jetStream;
    if (!handles)
      throw new BusUnavailableError(
        `bus of site ${this.site}: ${this.#refusal ?? 'not connected'}`,
      );
    try {
      await handles.client.publish(subject, data, {
        timeout: options.timeoutMs,
        retries: 0,
        ...(options.msgId === undefined ? {} : { msgID: options.msgId }),
        ...(options.traceparent === undefined
          ? {}
          : { headers: traceHeaders(options.traceparent) }),
        ...(options.expectAbsent ? { expect: { lastSubjectSequence: 0 } } : {}),
        ...(options.ttlSeconds === undefined ? {} : { ttl: `${options.ttlSeconds}s` }),
      });
    } catch (error) {
      throw new BusUnavailableError(`bus of site ${this.site}: no acknowledgement`, {
        cause: error,
      });
    }
  }

  /**
   * Publishes what its subject lacks, and nothing over what is there. Resolves to whether it was stored. Rejects with
   * BusUnavailableError: then nothing is known.
   */
  async publishIfAbsent(
    subject: string,
    data: string,
    options: { timeoutMs: number },
  ): Promise<boolean> {
    try {
      await this.publish(subject, data, { ...options, expectAbsent: true });
      return true;
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (cause instanceof JetStreamApiError && cause.code === WRONG_LAST_SEQUENCE) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#connection?.close();
    await this.#opening;
  }

  async #open(): Promise<void> {
    const { site, clientName } = this.#options;
    const password =
      site.passwordFile === undefined
        ? undefined
        : readTextFile(site.passwordFile, 'NATS password');
    while (!this.#stop.signal.aborted) {
      try {
        this.#connection = await connect({
          servers: site.url.split(','),
          name: clientName,
          ...(site.user === undefined ? {} : { user: site.user }),
          ...(password === undefined ? {} : { pass: password }),
          timeout: 2_000,
          maxReconnectAttempts: -1,
          reconnectTimeWait: 250,
          reconnectJitter: 250,
          pingInterval: 1_000,
          maxPingOut: 2,
          ignoreClusterUpdates: true,
          ignoreAuthErrorAbort: true,
        });
        this.#log.info('connected');
        this.#connected = true;
        void this.#watch(this.#connection);
        await this.#check();
        await this.#connection.closed();
        this.#connected = false;
      } catch (error) {
        this.#log.debug(errorFields(error), 'cannot connect');
      }
      await sleep(500, this.#stop.signal);
    }
  }

  /** Follows the connection: a server that comes back may have lost its disk, so its streams are checked again. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect' || status.type === 'staleConnection') {
        if (this.#connected) this.#log.warn('disconnected');
        this.#connected = false;
      } else if (status.type === 'reconnect') {
        this.#log.info('connected again');
        this.#connected = true;
        this.#handles = undefined;
        void this.#check();
      }
    }
  }

  /** Checks server and streams until they are right; a connection that is lost meanwhile ends it. */
  async #check(): Promise<void> {
    const connection = this.#connection;
    for (let attempt = 1; connection && this.#connected && !this.#stop.signal.aborted; attempt++) {
      try {
        await this.#checkOnce(connection);
        this.#refusal = undefined;
        this.#log.info('bus is usable');
        return;
      } catch (error) {
        // The first try may meet other services that create the same streams at the same instant.
        const reason = errorFields(error).error;
        if (attempt > 1 && reason !== this.#refusal) this.#log.error({ reason }, 'bus is refused');
        if (attempt > 1) this.#refusal = reason;
      }
      await sleep(1_000, this.#stop.signal);
    }
  }

  async #checkOnce(connection: NatsConnection): Promise<void> {
    const { site, streams, allowUnsynced } = this.#options;
    if (!allowUnsynced && !(await syncsEveryWrite(site.monitorUrl.split(','))))
      throw new Error(
        'the server does not sync each write: set "sync_interval: always" in its jetstream block',
      );
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 5_000 });
    const declared = declareStreams(site.replicas);
    for (const name of streams) await ensureStream(manager, declared[name]);
    this.#handles = { manager, client: jetstream(connection, { timeout: 5_000 }) };
  }
}
