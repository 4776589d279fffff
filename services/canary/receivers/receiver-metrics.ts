import { Gauge, type Registry } from 'prom-client';

export interface ReceiverMetrics {
  readonly lastReceipt: Gauge<'probe' | 'kind'>;
}

/** Ages of receivers: a path is proved by one of them, and each has to be seen when it falls silent. */
export function createReceiverMetrics(registry: Registry): ReceiverMetrics {
  return {
    lastReceipt: new Gauge({
      name: 'canary_receiver_last_receipt_timestamp_seconds',
      help: 'When this receiver last handed in a signed receipt of a round in time; +Inf: it was taken off the list',
      labelNames: ['probe', 'kind'],
      registers: [registry],
    }),
  };
}
