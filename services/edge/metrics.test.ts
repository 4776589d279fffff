import { expect, test } from '@jest/globals';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import { observeBuses } from './metrics.ts';

test('P5: a bus that is away or refused is seen in the metrics, and so is its return', async () => {
  const registry = createMetricsRegistry('edge', 'a');
  const buses = [
    { site: 'a', ready: true },
    { site: 'b', ready: false },
  ];
  observeBuses(registry, buses);
  const values = async () => {
    const text = await registry.getSingleMetricAsString('edge_bus_ready');
    return [...text.matchAll(/^edge_bus_ready\{site="(.)".*\} (.)$/gm)].map(([, site, value]) => [
      site,
      value,
    ]);
  };
  expect(await values()).toEqual([
    ['a', '1'],
    ['b', '0'],
  ]);
  for (const bus of buses) bus.ready = !bus.ready;
  expect(await values()).toEqual([
    ['a', '0'],
    ['b', '1'],
  ]);
});
