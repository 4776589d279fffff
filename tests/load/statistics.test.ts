import { expect, test } from '@jest/globals';
import { resultsOf, spreadOf } from './statistics.ts';

test('the median is the middle, or the mean of the two in the middle', () => {
  expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
  expect(spreadOf([4, 1, 2, 9])).toEqual({ median: 3, min: 1, max: 9 });
  expect(() => spreadOf([])).toThrow('nothing was measured');
});

test('a ratio compares turns of the same round, so that a machine that slows down does not favour anybody', () => {
  const turn = (cpuMicros: number) => ({ messages: 10, cpuMicros, wallMs: 5 });
  const rounds = [
    { library: turn(300), ours: turn(100) },
    { library: turn(900), ours: turn(300) },
  ];
  const [library, ours] = resultsOf(rounds, 'library');
  expect(library?.timesLessCpu).toEqual({ median: 1, min: 1, max: 1 });
  expect(ours?.timesLessCpu).toEqual({ median: 3, min: 3, max: 3 });
  expect(ours?.cpuMicrosPerMessage).toEqual({ median: 20, min: 10, max: 30 });
  expect(ours?.messagesPerSecond.median).toBe(2_000);
});
