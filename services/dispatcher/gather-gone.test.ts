import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { gatherGone } from './gather-gone.ts';

type Report = Parameters<typeof gatherGone>[0];

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('P9: small shards are judged together, each transport by itself', () => {
  const report = jest.fn<Report>();
  const { reportGone } = gatherGone(report);
  reportGone('fcm', ['a', 'b'], 2);
  reportGone('web-push', ['c'], 30);
  reportGone('fcm', ['d'], 3);
  jest.advanceTimersByTime(1_999);
  expect(report).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(report.mock.calls).toEqual([
    ['fcm', ['a', 'b', 'd'], 5],
    ['web-push', ['c'], 30],
  ]);
  reportGone('fcm', ['e'], 1);
  jest.advanceTimersByTime(2_000);
  expect(report).toHaveBeenLastCalledWith('fcm', ['e'], 1);
});

test('nobody is removed by a process that ends', () => {
  const report = jest.fn<Report>();
  const { reportGone, close } = gatherGone(report);
  reportGone('fcm', ['a'], 1);
  close();
  jest.advanceTimersByTime(10_000);
  expect(report).not.toHaveBeenCalled();
});
