import { Counter, Gauge, type Registry } from 'prom-client';
import {
  REFUSAL_KINDS,
  type RefusalKind,
  TRIAL_RESULTS,
  type TrialResult,
} from './refusal-kinds.ts';

export interface RefusingMetrics {
  readonly trials: Counter<'kind' | 'result'>;
  readonly lastRefused: Gauge<'kind'>;
}

/** Metrics of the refusing receiver; what was never refused shows an instant in 1970. */
export function createRefusingMetrics(registry: Registry, periodSeconds: number): RefusingMetrics {
  const registers = [registry];
  const metrics: RefusingMetrics = {
    trials: new Counter({
      name: 'canary_negative_total',
      help: 'Messages that a device must refuse, and what the device did; accepted is to stay 0 for ever',
      labelNames: ['kind', 'result'],
      registers,
    }),
    lastRefused: new Gauge({
      name: 'canary_negative_last_refused_timestamp_seconds',
      help: 'When a device last refused such a message for the right reason',
      labelNames: ['kind'],
      registers,
    }),
  };
  const period = new Gauge({
    name: 'canary_negative_period_seconds',
    help: 'How often these messages are sent: their age limits are multiples of this',
    registers,
  });
  period.set(periodSeconds);
  for (const kind of REFUSAL_KINDS satisfies readonly RefusalKind[]) {
    for (const result of TRIAL_RESULTS satisfies readonly TrialResult[])
      metrics.trials.inc({ kind, result }, 0);
    metrics.lastRefused.set({ kind }, 0);
  }
  return metrics;
}
