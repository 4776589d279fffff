import { expect, test } from '@jest/globals';
import { CANCEL_RESERVE, createWorkSlots, MAX_IN_WORK, MAX_TESTS_IN_WORK } from './work-slots.ts';

const alert = { status: 'Actual', msgType: 'Alert' } as const;
const cancel = { status: 'Actual', msgType: 'Cancel' } as const;
const canary = { status: 'Test', msgType: 'Alert' } as const;
const fill = (count: number, enter: () => unknown) => Array.from({ length: count }, enter);

test('P12: alerts in work are bounded, and a slot that is given back can be used again', () => {
  const slots = createWorkSlots();
  const leave = slots.enter(alert);
  fill(MAX_IN_WORK - 1, () => slots.enter(alert));
  expect(slots.enter(alert)).toBeUndefined();
  leave?.();
  leave?.();
  expect(slots.inWork).toBe(MAX_IN_WORK - 1);
  expect(slots.enter(alert)).toBeDefined();
  expect(slots.enter(alert)).toBeUndefined();
});

test('P3: a Cancel is taken when alerts are shed; the reserve is bounded too', () => {
  const slots = createWorkSlots();
  fill(MAX_IN_WORK, () => slots.enter(alert));
  expect(fill(CANCEL_RESERVE, () => slots.enter(cancel)).every(Boolean)).toBe(true);
  expect(slots.enter(cancel)).toBeUndefined();
});

test('P10: canaries take at most half', () => {
  const slots = createWorkSlots();
  fill(MAX_TESTS_IN_WORK, () => slots.enter(canary));
  expect(slots.enter(canary)).toBeUndefined();
  expect(slots.enter({ status: 'Test', msgType: 'Cancel' })).toBeUndefined();
  expect(slots.enter(alert)).toBeDefined();
});
