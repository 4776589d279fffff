import { expect, test } from '@jest/globals';
import { busyAlerts, type Call, news, open, takenBackAtMs } from './calls.ts';

const call = (
  atMs: number,
  status: Call['status'],
  alert = 'RouteUnproved',
  path = 'a:bus:a:fcm',
): Call => ({ atMs, kind: 'page', status, alert, labels: { path }, summary: '' });

const CALLS = [
  call(1_000, 'firing'),
  // Alertmanager tells the group again when another alert joins it.
  call(61_000, 'firing'),
  call(61_000, 'firing', 'RouteUnproved', 'b:bus:a:fcm'),
  call(121_000, 'resolved'),
  call(121_000, 'firing', 'RouteUnproved', 'b:bus:a:fcm'),
];

test('what is told again is no news', () => {
  expect(news(CALLS).map(({ atMs, status }) => [atMs, status])).toEqual([
    [1_000, 'firing'],
    [61_000, 'firing'],
    [121_000, 'resolved'],
  ]);
});

test('open is what was told and not taken back; busy for a while longer', () => {
  expect(open(CALLS).map(({ labels }) => labels['path'])).toEqual(['b:bus:a:fcm']);
  const ended = [...CALLS, call(181_000, 'resolved', 'RouteUnproved', 'b:bus:a:fcm')];
  expect(open(ended)).toEqual([]);
  expect([...busyAlerts(ended, 200_000)]).toEqual(['RouteUnproved']);
  expect([...busyAlerts(ended, 300_000)]).toEqual([]);
});

test('pages are taken back when the last of them is', () => {
  const window = { fromMs: 0, toMs: 100_000 };
  expect(takenBackAtMs(CALLS, window)).toBeUndefined();
  const ended = [...CALLS, call(181_000, 'resolved', 'RouteUnproved', 'b:bus:a:fcm')];
  expect(takenBackAtMs(ended, window)).toBe(181_000);
  expect(takenBackAtMs(ended, { fromMs: 0, toMs: 30_000 })).toBe(121_000);
  expect(takenBackAtMs([], window)).toBeUndefined();
});
