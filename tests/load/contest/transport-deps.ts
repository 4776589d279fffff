import { createTransportMetrics } from '../../../services/dispatcher/transports/transport-metrics.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';

/** What a transport of ours logs and counts to, as in a dispatcher. */
export function transportDeps() {
  return {
    log: createLogger('dispatcher', 'bench', 'silent'),
    metrics: createTransportMetrics(createMetricsRegistry('dispatcher', 'bench')),
  };
}
