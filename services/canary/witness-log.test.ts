import { expect, test } from '@jest/globals';
import type { DeviceMessage } from '../../shared/envelope/device-message.ts';
import { createWitnessLog } from './witness-log.ts';

const id = (n: number) => n.toString(16).padStart(32, '0');
const message = (n: number) => ({ id: id(n) }) as DeviceMessage;
const witness = (n: number, probe: string) => ({
  alertId: id(n),
  probe,
  transport: 'fcm' as const,
  via: 'a',
  receivedAt: '2026-07-14T20:31:08.100Z',
});

test('a duplicate is not a second witness', () => {
  const log = createWitnessLog();
  const added = ['p1', 'p1', 'p2'].map((probe) => log.add(message(1), witness(1, probe)));
  expect(added).toEqual([true, false, true]);
  expect(log.of(id(1)).map(({ probe }) => probe)).toEqual(['p1', 'p2']);
});

test('the latest is the alert that came last; unknown alerts have no witness', () => {
  const log = createWitnessLog();
  log.add(message(1), witness(1, 'p1'));
  log.add(message(2), witness(2, 'p1'));
  log.add(message(1), witness(1, 'p2'));
  expect(log.latest()?.message.id).toBe(id(2));
  expect(log.of(id(3))).toEqual([]);
});

test('P12: five hundred alerts are remembered, the oldest fall out', () => {
  const log = createWitnessLog();
  for (let n = 0; n < 600; n++) log.add(message(n), witness(n, 'p1'));
  expect([log.of(id(99)).length, log.of(id(100)).length]).toEqual([0, 1]);
});
