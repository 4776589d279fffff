import { expect, test } from '@jest/globals';
import { againstBest, resultsOf, spreadOf } from './statistics.ts';

test('the median is the middle, or the mean of the two in the middle', () => {
  expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
  expect(spreadOf([4, 1, 2, 9])).toEqual({ median: 3, min: 1, max: 9 });
  expect(() => spreadOf([])).toThrow('nothing was measured');
});

const turn = (cpuMicros: number, wallMs = 5) => ({ messages: 10, cpuMicros, wallMs, rssMb: 50 });

test('a ratio compares turns of the same round, so that a machine that slows down does not favour anybody', () => {
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

test('a contender that failed after the first round keeps its first round; one that never took a turn is not there', () => {
  const rounds = [{ library: turn(300), ours: turn(100) }, { library: turn(300) }];
  const results = resultsOf(rounds, 'library');
  expect(results.map(({ contender }) => contender)).toEqual(['library', 'ours']);
});

test('against a package with several settings, each round takes the one that was best just then', () => {
  const rounds = [
    { slow: turn(400, 10), quick: turn(200, 5), ours: turn(100, 1) },
    { slow: turn(300, 4), quick: turn(600, 5), ours: turn(100, 1) },
  ];
  const against = againstBest(rounds, 'ours', ['slow', 'quick']);
  expect(against?.timesLessCpu).toEqual({ median: 2.5, min: 2, max: 3 });
  expect(against?.timesTheRate).toEqual({ median: 4.5, min: 4, max: 5 });
  expect(againstBest(rounds, 'nobody', ['slow'])).toBeUndefined();
});
