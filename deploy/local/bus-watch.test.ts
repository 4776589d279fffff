import { expect, test } from '@jest/globals';
import {
  type BusLook,
  judgeBus,
  PATIENCE_MS,
  STARTING_PATIENCE_MS,
  UNWATCHED,
} from './bus-watch.ts';

const WELL = { health: 'well', hasRoom: true } as const;
const SICK = { health: 'sick', hasRoom: true } as const;
const SICK_AND_FULL = { health: 'sick', hasRoom: false } as const;
const SILENT = { health: 'silent', hasRoom: true } as const;
const S = 1_000;

type Look = Omit<BusLook, 'atMs'>;
/** Seconds at which it is started again, looked at each second for a while each. */
function restarts(times: readonly (readonly [seconds: number, look: Look])[]): number[] {
  const looks = times.flatMap(([seconds, look]) =>
    Array.from({ length: seconds }, (): Look => look),
  );
  let state = UNWATCHED;
  return looks.flatMap((look, second) => {
    const judged = judgeBus(state, { ...look, atMs: second * S });
    state = judged.state;
    return judged.restart ? [second] : [];
  });
}

test.each<[string, number[], Parameters<typeof restarts>[0]]>([
  ['well: never', [], [[300, WELL]]],
  [
    'sick with room: after ten seconds',
    [5 + 10],
    [
      [5, WELL],
      [12, SICK],
    ],
  ],
  [
    'sick for less than that: never',
    [],
    [
      [5, WELL],
      [9, SICK],
      [5, WELL],
      [9, SICK],
    ],
  ],
  [
    'sick on a full disk: not before there is room',
    [5 + 60 + 10],
    [
      [5, WELL],
      [60, SICK_AND_FULL],
      [12, SICK],
    ],
  ],
  [
    'silent (frozen, or starting): never',
    [],
    [
      [5, WELL],
      [300, SILENT],
    ],
  ],
  ['sick since its start (it may read a large store): after two minutes', [120], [[130, SICK]]],
  [
    'sick again after a new start: not every ten seconds',
    [15, 15 + 1 + 120],
    [
      [5, WELL],
      [180, SICK],
    ],
  ],
])('a bus that is %s', (_name, expected, times) => {
  expect(restarts(times)).toEqual(expected);
});

test('the waits are those that docs/running.md names', () => {
  expect([PATIENCE_MS, STARTING_PATIENCE_MS]).toEqual([10 * S, 120 * S]);
});
