import { collectDefaultMetrics, Registry } from 'prom-client';

/** A service's own metrics registry, with the process's memory, CPU and event-loop delay in it. */
export function createMetricsRegistry(service: string, node: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service, node });
  collectDefaultMetrics({ register: registry });
  return registry;
}
