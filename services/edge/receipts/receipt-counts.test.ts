import { expect, test } from '@jest/globals';
import type { DeviceReceipt } from '../../../shared/receipt/device-receipt.ts';
import { createReceiptCounts } from './receipt-counts.ts';

const receipt = (alertId: string, action: DeviceReceipt['action'] = 'shown'): DeviceReceipt => ({
  v: 1,
  alertId,
  transport: 'fcm',
  action,
  via: 'a',
  receivedAt: '2026-07-14T20:30:00.000Z',
});

test('counts by action; hands out what changed once, as the sum so far', () => {
  const counts = createReceiptCounts(() => true);
  counts.add(receipt('x'));
  counts.add(receipt('x', 'ignored'));
  expect(counts.takeChanged()).toEqual([
    { alertId: 'x', transport: 'fcm', counts: { shown: 1, ignored: 1 } },
  ]);
  expect(counts.takeChanged()).toEqual([]);
  counts.add(receipt('x'));
  expect(counts.takeChanged()).toEqual([
    { alertId: 'x', transport: 'fcm', counts: { shown: 2, ignored: 1 } },
  ]);
  expect(counts.of('y')).toEqual({});
});

test('P12: bounded, and invented ids push out each other before real alerts', () => {
  const counts = createReceiptCounts((id) => id === 'real', 3);
  for (const id of ['real', 'fake-1', 'fake-2', 'fake-3', 'fake-4']) counts.add(receipt(id));
  expect(counts.of('real')).toEqual({ fcm: { shown: 1 } });
  expect(counts.of('fake-1')).toEqual({});
  expect(counts.of('fake-4')).toEqual({ fcm: { shown: 1 } });
});
