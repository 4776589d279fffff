import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { BusSite } from '../../shared/bus/bus-config.ts';
import { proofSubject } from '../../shared/bus/subjects.ts';
import { readTextFile } from '../../shared/config/read-file.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { PathProof } from '../../shared/receipt/proof.ts';
import { sleep } from '../../shared/time/sleep.ts';

const REQUEST_LIMIT_MS = 1_000;
const RETRY_MS = 2_000;

/**
 * Publishes proofs on one site's bus, as long as it is there. The canary's account can reach `proof.>` and nothing else,
 * not even JetStream's own interface, so a proof is a plain request whose answer is the stream's acknowledgement.
 * The bus is a convenience here: dispatchers and ingests hear of proofs directly.
 */
export class ProofPublisher {
  readonly #site: BusSite;
  readonly #canary: string;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #connection: NatsConnection | undefined;

  /** Throws ConfigError when the password cannot be read. */
  constructor(site: BusSite, canary: string, log: Logger) {
    this.#site = site;
    this.#canary = canary;
    this.#log = log.child({ bus: site.site });
    const password =
      site.passwordFile === undefined
        ? undefined
        : readTextFile(site.passwordFile, 'NATS password');
    this.#running = this.#connect(password);
  }

  /** Best effort: never rejects, and what cannot be published now is not kept. */
  async publish(proof: PathProof): Promise<void> {
    const connection = this.#connection;
    if (!connection || connection.isClosed()) return;
    const report = { v: 1, canary: this.#canary, proofs: [proof] };
    try {
      await connection.request(proofSubject(this.#canary, proof.path), JSON.stringify(report), {
        timeout: REQUEST_LIMIT_MS,
      });
    } catch (error) {
      this.#log.debug(errorFields(error), 'proof was not stored on the bus');
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#connection?.close();
    await this.#running;
  }

  async #connect(password: string | undefined): Promise<void> {
    const { url, user } = this.#site;
    while (!this.#stop.signal.aborted) {
      try {
        const connection = await connect({
          servers: url.split(','),
          name: `canary-${this.#canary}`,
          ...(user === undefined ? {} : { user }),
          ...(password === undefined ? {} : { pass: password }),
          timeout: 2_000,
          maxReconnectAttempts: -1,
          reconnectTimeWait: 500,
          reconnectJitter: 500,
          pingInterval: 2_000,
          maxPingOut: 2,
          ignoreClusterUpdates: true,
          ignoreAuthErrorAbort: true,
        });
        this.#connection = connection;
        if (this.#stop.signal.aborted) await connection.close();
        else await connection.closed();
      } catch (error) {
        this.#log.debug(errorFields(error), 'bus cannot be reached');
      }
      await sleep(RETRY_MS, this.#stop.signal);
    }
  }
}
