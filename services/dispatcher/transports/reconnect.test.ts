import { expect, test } from '@jest/globals';
import { planReconnect } from './reconnect.ts';

const PAUSES = { firstMs: 200, maxMs: 10_000 };

test.each([
  ['never lived', { livedMs: 4_999, answered: 99, endsInPeace: true }, false, 4, 800],
  ['lived five seconds', { livedMs: 5_000, answered: 0, endsInPeace: false }, false, 1, 100],
  ['connected for so long', { livedMs: 5_000, answered: 0, endsInPeace: false }, true, 4, 800],
  ['worked, and broke', { livedMs: 10, answered: 100, endsInPeace: false }, false, 1, 100],
  [
    'worked, and broke while down',
    { livedMs: 10, answered: 100, endsInPeace: false },
    true,
    1,
    100,
  ],
  ['worked, and ends in peace', { livedMs: 10, answered: 100, endsInPeace: true }, false, 1, 0],
])('after a session that %s: the pause and the attempt', (_, session, isDown, attempt, delayMs) => {
  expect(planReconnect(3, session, isDown, PAUSES, 0)).toEqual({ attempt, delayMs });
});
