import { expect, test } from '@jest/globals';
import { afterPass, type LackState, NO_LACK, takeTurn } from './refill-turn.ts';

/** The instants (s) at which a node would fill, looking every second at these counts of messages. */
function fills(messages: readonly number[], turn: number, rows = 100): number[] {
  let state: LackState = NO_LACK;
  return messages.flatMap((count, second) => {
    const taken = takeTurn(state, { atMs: second * 1000, messages: count, rows }, turn);
    state = taken.state;
    return taken.fill ? [second] : [];
  });
}

test.each<[string, readonly number[], number, number[]]>([
  ['a stream that holds all is left alone', [100, 100, 100, 100, 100, 100, 100], 0, []],
  ['one that holds more than this replica too', [200, 200, 200, 200, 200, 200, 200], 0, []],
  ['an empty one is filled after four seconds by the first node', [0, 0, 0, 0, 0, 0], 0, [4, 5]],
  ['and by the second only if nobody did for eight', [0, 0, 0, 0, 0, 0, 0, 0, 0], 1, [8]],
  ['writes on their way are not a lack', [99, 99, 100, 99, 99, 99, 100], 0, []],
  ['one that grows is being filled by somebody', [0, 0, 0, 0, 10, 20, 30, 40, 50, 60], 1, []],
  [
    'when whoever filled it has died, the next one goes on',
    [0, 40, 40, 40, 40, 40, 40, 40, 40, 40],
    1,
    [9],
  ],
])('%s', (_what, messages, turn, expected) => {
  expect(fills(messages, turn)).toEqual(expected);
});

test('a pass that put nothing back rests for a minute; one that did goes on as soon as there is a lack again', () => {
  const lack = { messages: 0, rows: 10 };
  const lacking = takeTurn(NO_LACK, { atMs: 0, ...lack }, 0).state;
  const refused = takeTurn(afterPass(lacking, 0, 5_000), { atMs: 6_000, ...lack }, 0).state;
  expect(takeTurn(refused, { atMs: 64_000, ...lack }, 0).fill).toBe(false);
  expect(takeTurn(refused, { atMs: 65_000, ...lack }, 0).fill).toBe(true);
  const useful = takeTurn(afterPass(lacking, 7, 5_000), { atMs: 6_000, ...lack }, 0).state;
  expect(takeTurn(useful, { atMs: 10_000, ...lack }, 0).fill).toBe(true);
});
