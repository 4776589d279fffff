import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { REFUSALS, type Refusal } from './round-book.ts';

const ROUND_RESULTS = [
  'proved',
  'late',
  'ingest-refused',
  'ingest-unreachable',
  'not-received',
] as const;

export interface CanaryMetrics {
  readonly rounds: Counter<'path' | 'result'>;
  readonly lastReceipt: Gauge<'path'>;
  readonly roundDuration: Histogram;
  readonly refused: Counter<'reason'>;
  readonly witnesses: Counter<'probe'>;
  readonly probeConnected: Gauge<'probe'>;
  readonly deadmanPings: Counter<'result'>;
  readonly clockSkew: Gauge<'kind' | 'peer'>;
}

interface KnownLabels {
  readonly paths: readonly string[];
  readonly probes: readonly string[];
  /** The probe of the stored path: it witnesses too, and is not connected most of the time. */
  readonly stored: string | undefined;
}

/**
 * The canary's metrics, every series there from the start: a path that was never proved shows a receipt at 1970, which
 * any rule on its age takes for what it is.
 */
export function createCanaryMetrics(registry: Registry, known: KnownLabels): CanaryMetrics {
  const registers = [registry];
  const metrics: CanaryMetrics = {
    rounds: new Counter({
      name: 'canary_rounds_total',
      help: 'Rounds by path and how they ended; a late one was counted as not-received before',
      labelNames: ['path', 'result'],
      registers,
    }),
    lastReceipt: new Gauge({
      name: 'canary_last_receipt_timestamp_seconds',
      help: 'When a probe last received, decrypted and verified a round of this path in time',
      labelNames: ['path'],
      registers,
    }),
    roundDuration: new Histogram({
      name: 'canary_round_duration_seconds',
      help: 'From raising the test alert to its verified receipt',
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 90],
      registers,
    }),
    refused: new Counter({
      name: 'canary_refused_total',
      help: 'Messages that reached a probe and proved nothing, by reason',
      labelNames: ['reason'],
      registers,
    }),
    witnesses: new Counter({
      name: 'canary_witnesses_total',
      help: 'Real alerts received by a probe',
      labelNames: ['probe'],
      registers,
    }),
    probeConnected: new Gauge({
      name: 'canary_probe_connected',
      help: '1 while the probe holds its connection (proves nothing; 0 says why rounds fail)',
      labelNames: ['probe'],
      registers,
    }),
    deadmanPings: new Counter({
      name: 'canary_deadman_pings_total',
      help: 'Signs of life to the outside watcher, sent only on a fresh receipt',
      labelNames: ['result'],
      registers,
    }),
    clockSkew: new Gauge({
      name: 'canary_clock_skew_seconds',
      help: 'How far a node is ahead of this canary’s clock, to about half a second; absent until measured',
      labelNames: ['kind', 'peer'],
      registers,
    }),
  };
  for (const path of known.paths) {
    for (const result of ROUND_RESULTS) metrics.rounds.inc({ path, result }, 0);
    metrics.lastReceipt.set({ path }, 0);
  }
  for (const reason of REFUSALS satisfies readonly Refusal[]) metrics.refused.inc({ reason }, 0);
  for (const probe of known.probes) {
    metrics.witnesses.inc({ probe }, 0);
    metrics.probeConnected.set({ probe }, 0);
  }
  if (known.stored !== undefined) metrics.witnesses.inc({ probe: known.stored }, 0);
  for (const result of ['sent', 'failed']) metrics.deadmanPings.inc({ result }, 0);
  return metrics;
}
