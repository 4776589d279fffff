import { expect, test } from '@jest/globals';
import { judgePath, newPathRecord, recordRound } from '../judge.ts';
import { allPaths, pathName } from '../paths.ts';
import { storedPath, storedTiming } from './run-stored-rounds.ts';

const PATHS = allPaths(['a'], ['a', 'b']);
const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };

const judged = (isProved: (dispatcher: string) => boolean) =>
  PATHS.map((path) => {
    const fresh = newPathRecord(path, 0);
    const record = isProved(path.dispatcher)
      ? recordRound(fresh, { kind: 'proved', latencyMs: 1 }, 0)
      : fresh;
    return judgePath(record, 1_000, TIMETABLE);
  });

const turns = (isProved: (dispatcher: string) => boolean) =>
  [0, 1, 2, 3, 4].map((turn) => {
    const path = storedPath(judged(isProved), turn);
    return path && pathName(path);
  });

test.each([
  [
    'all Web Push paths take turns',
    () => true,
    ['a:bus:a', 'a:bus:b', 'a:direct:a', 'a:direct:b', 'a:bus:a'],
  ],
  [
    'with a dead dispatcher only the paths of the other one do: its death is not the store’s',
    (dispatcher: string) => dispatcher === 'a',
    ['a:bus:a', 'a:direct:a', 'a:bus:a', 'a:direct:a', 'a:bus:a'],
  ],
  [
    'P5: with none proved all are tried: silence must not stop the asking',
    () => false,
    ['a:bus:a', 'a:bus:b', 'a:direct:a', 'a:direct:b', 'a:bus:a'],
  ],
])('%s', (_what, isProved, expected) => {
  expect(turns(isProved)).toEqual(expected.map((name) => `${name}:web-push`));
});

test('a message is kept for half a minute at the usual period, and a canary’s life is longer than that', () => {
  expect(storedTiming(300_000, 10_000)).toEqual({
    periodMs: 300_000,
    keptMs: 30_000,
    quietMs: 3_000,
    limitMs: 10_000,
  });
});
