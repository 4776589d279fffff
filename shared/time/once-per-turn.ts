import type { Clock } from './clock.ts';

/**
 * A clock that is read once in each turn of the event loop, for what asks it thousands of times a turn. It is behind by
 * no more than the turn has lasted: while a reading is kept, the loop does not wait for anything.
 */
export function oncePerTurn(read: Clock): Clock {
  let nowMs: number | undefined;
  const forget = () => {
    nowMs = undefined;
  };
  return () => {
    if (nowMs === undefined) {
      nowMs = read();
      setImmediate(forget);
    }
    return nowMs;
  };
}
