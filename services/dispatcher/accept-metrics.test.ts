import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createAcceptTimes } from './accept-metrics.ts';

test('times of acceptance are a histogram by transport and severity, each there from the start', async () => {
  const registry = new Registry();
  const timesOf = createAcceptTimes(registry);
  const observe = timesOf('fcm', 'Extreme');
  for (const seconds of [0.1, 0.3, 4, 3_000]) observe(seconds);
  const text = await registry.metrics();
  for (const line of [
    'dispatcher_accept_seconds_bucket{transport="fcm",severity="Extreme",le="0.25"} 1',
    'dispatcher_accept_seconds_bucket{transport="fcm",severity="Extreme",le="5"} 3',
    'dispatcher_accept_seconds_bucket{transport="fcm",severity="Extreme",le="+Inf"} 4',
    'dispatcher_accept_seconds_count{transport="fcm",severity="Extreme"} 4',
    'dispatcher_accept_seconds_count{transport="web-push",severity="Unknown"} 0',
  ])
    expect(text).toContain(line);
  expect(await registry.metrics()).toBe(text);
});
