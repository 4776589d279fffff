import { expect, test } from '@jest/globals';
import { progressLine, type RowProgress, timeLeftMs } from './progress.ts';

const row = (changes: Partial<RowProgress>): RowProgress => ({
  id: 'F1',
  runs: 10,
  typicalSeconds: 2,
  played: 0,
  tookMs: 0,
  ...changes,
});

test.each<[string, RowProgress[], number]>([
  ['nothing played: what rows take elsewhere', [row({}), row({ id: 'F2', runs: 5 })], 30_000],
  ['a row of which enough was played: its own mean', [row({ played: 4, tookMs: 4_000 })], 6_000],
  [
    'a slower machine: rows to come take longer too',
    [row({ played: 10, tookMs: 40_000 }), row({ id: 'F2', runs: 5 })],
    20_000,
  ],
  [
    'one run that took for ever does not make the rest take for ever',
    [row({ runs: 1, played: 1, tookMs: 300_000 }), row({ id: 'F2', runs: 5 })],
    30_000,
  ],
  ['more runs than planned leave nothing', [row({ runs: 2, played: 4, tookMs: 1 })], 0],
])('the estimate of what is left, %s', (_name, rows, expected) => {
  expect(timeLeftMs(rows)).toBe(expected);
});

test('a progress line says row, run, and what is left', () => {
  const rows = [row({ played: 5, tookMs: 100_000 })];
  expect(progressLine(rows, { id: 'F1', tookMs: 2_100 })).toBe(
    '  F1 run 5 of 10 (2.1 s); 2 min played, about 2 min left',
  );
});
