import { Counter, Gauge, type Registry } from 'prom-client';
import { errorFields } from '../../../../../shared/log/error-fields.ts';
import type { Logger } from '../../../../../shared/log/logger.ts';
import type { PreparedStore } from './prepared-store.ts';
import { ENCRYPTION_WAYS, type PushEncryptor } from './push-encryptor.ts';

export type PreparedMetrics = ReturnType<typeof createPreparedMetrics>;

/** Built once per process; every label value is there from the start. */
export function createPreparedMetrics(registry: Registry) {
  const registers = [registry];
  return {
    made: new Counter({
      name: 'tocsin_web_push_records_made_total',
      help: 'Prepared records that the replenisher has put into the store; its rate is the speed of refilling',
      registers,
    }),
    deaths: new Counter({
      name: 'tocsin_web_push_record_worker_deaths_total',
      help: 'Times that the thread which makes prepared records died; it is started again',
      registers,
    }),
    /** Shows what the store and the encryptor know themselves, asked when the metrics are read: a send counts nothing here. */
    watch(store: PreparedStore, encryptor: Pick<PushEncryptor, 'counts'>): void {
      new Gauge({
        name: 'tocsin_web_push_records_ready',
        help: 'Subscriptions for which a prepared record is ready; the others are encrypted for on the spot',
        registers,
        collect() {
          this.set(store.ready);
        },
      });
      new Gauge({
        name: 'tocsin_web_push_records_capacity',
        help: 'How many prepared records this node keeps at most',
        registers,
        collect() {
          this.set(store.capacity);
        },
      });
      new Counter({
        name: 'tocsin_web_push_encryptions_total',
        help: 'Web Push messages by how they were encrypted: with a prepared record, on the spot for want of one, or kept from an attempt before',
        labelNames: ['way'] as const,
        registers,
        collect() {
          this.reset();
          for (const way of ENCRYPTION_WAYS) this.inc({ way }, encryptor.counts[way]);
        },
      });
    },
  };
}

export type PreparedEvents = ReturnType<typeof createPreparedEvents>;

/** What happens while records are made, counter and log line together. */
export function createPreparedEvents(metrics: PreparedMetrics, log: Logger) {
  return {
    made(count: number): void {
      metrics.made.inc(count);
    },
    workerDied(error: unknown): void {
      metrics.deaths.inc();
      log.error(errorFields(error), 'the thread that prepares records died; it is started again');
    },
    passFailed(error: unknown): void {
      log.warn(errorFields(error), 'subscriptions could not be read for preparing records');
    },
  };
}
