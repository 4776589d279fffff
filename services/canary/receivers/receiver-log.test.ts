import { expect, test } from '@jest/globals';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import { createReceiverLog } from './receiver-log.ts';
import { createReceiverMetrics } from './receiver-metrics.ts';

const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };

function setUp() {
  const clock = { now: 0 };
  const registry = createMetricsRegistry('canary', 'a');
  const log = createReceiverLog(TIMETABLE, {
    metrics: createReceiverMetrics(registry),
    now: () => clock.now,
    wallNow: () => 1_000_000 + clock.now,
  });
  log.watch({ name: 'a-unified-push', kind: 'unified-push' });
  const value = async () =>
    (await registry.metrics())
      .split('\n')
      .find((line) => line.startsWith('canary_receiver_last_receipt_timestamp_seconds{'))
      ?.split(' ')
      .at(-1);
  return { clock, log, value };
}

test.each([
  [0, 'proved'],
  [90_000, 'proved'],
  [90_001, 'late'],
  [150_000, 'late'],
  [150_001, 'unproved'],
])(
  'P5: %s ms after its last receipt a receiver is %s, with nothing but time going by',
  (ms, state) => {
    const { clock, log } = setUp();
    log.received('a-unified-push', 300);
    clock.now = ms;
    expect(log.states()).toMatchObject([{ state, ageMs: ms, silenceMs: ms, latencyMs: 300 }]);
  },
);

test('never heard of is not measured, and its silence is counted', async () => {
  const { clock, log, value } = setUp();
  clock.now = 200_000;
  expect(log.states()).toMatchObject([{ state: 'not-measured', ageMs: null, silenceMs: 200_000 }]);
  expect(await value()).toBe('0');
});

test('a receipt that took longer than the limit renews nothing', async () => {
  const { log, value } = setUp();
  log.received('a-unified-push', 10_001);
  log.received('nobody', 1);
  expect(log.states()).toMatchObject([{ state: 'not-measured' }]);
  expect(await value()).toBe('0');
  log.received('a-unified-push', 10_000);
  expect(await value()).toBe('1000');
});

test('a receiver that was taken off the list is waited for no more', async () => {
  const { log, value } = setUp();
  log.received('a-unified-push', 1);
  log.forget('a-unified-push');
  expect(log.states()).toEqual([]);
  expect(await value()).toBe('+Inf');
});
