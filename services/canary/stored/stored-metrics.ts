import { Counter, Gauge, type Registry } from 'prom-client';

const STORED_RESULTS = ['proved', 'ingest-refused', 'ingest-unreachable', 'not-received'] as const;

export interface StoredMetrics {
  readonly rounds: Counter<'probe' | 'result'>;
  readonly lastReceipt: Gauge<'probe'>;
  readonly period: Gauge<'probe'>;
}

/** Metrics of the stored path: names of their own, because their age is counted in periods of minutes. */
export function createStoredMetrics(
  registry: Registry,
  probe: string,
  periodSeconds: number,
): StoredMetrics {
  const registers = [registry];
  const metrics: StoredMetrics = {
    rounds: new Counter({
      name: 'canary_stored_rounds_total',
      help: 'Messages sent to a probe that was off, and what it found when it was switched on',
      labelNames: ['probe', 'result'],
      registers,
    }),
    lastReceipt: new Gauge({
      name: 'canary_stored_last_receipt_timestamp_seconds',
      help: 'When a probe that had been off last received and verified what was kept for it',
      labelNames: ['probe'],
      registers,
    }),
    period: new Gauge({
      name: 'canary_stored_period_seconds',
      help: 'How often the probe is switched on: its age limits are multiples of this',
      labelNames: ['probe'],
      registers,
    }),
  };
  for (const result of STORED_RESULTS) metrics.rounds.inc({ probe, result }, 0);
  metrics.lastReceipt.set({ probe }, 0);
  metrics.period.set({ probe }, periodSeconds);
  return metrics;
}
