import { expect, test } from '@jest/globals';
import { Registry as MetricsRegistry } from 'prom-client';
import { createLogger } from '../../shared/log/logger.ts';
import { createDispatcherEvents } from './events.ts';
import { followRegistry } from './follow-registry.ts';
import { createDispatcherMetrics } from './metrics.ts';
import { Registry } from './registry.ts';

test('P2: a disk that is full when the registry is about to be followed ends neither the process nor the following', async () => {
  const registry = new Registry(':memory:');
  let tries = 0;
  registry.beginFilling = () => {
    tries++;
    throw new Error('disk full');
  };
  const log = createLogger('dispatcher', 'a', 'silent');
  const events = createDispatcherEvents(createDispatcherMetrics(new MetricsRegistry(), []), log);
  const deps = { buses: [], peers: [], token: 'token', now: Date.now };
  const follower = followRegistry({ ...deps, registry, events, log });
  for (const deadline = Date.now() + 5_000; tries === 0 && Date.now() < deadline; )
    await new Promise((resolve) => setImmediate(resolve));
  expect(tries).toBe(1);
  await follower.close();
  registry.close();
});
