import { expect, jest, test } from '@jest/globals';
import { createLogger } from '../../../shared/log/logger.ts';
import { keepConnected } from './keep-connected.ts';

jest.useFakeTimers();

const PAUSES = { firstMs: 100, maxMs: 400 };

/** A service that is told what to do by the test, and when each try came (ms since the start). */
function setUp() {
  const startedMs = Date.now();
  const tries: number[] = [];
  const signals: AbortSignal[] = [];
  let opens = false;
  const kept = keepConnected(
    async (onOpen, signal) => {
      tries.push(Date.now() - startedMs);
      signals.push(signal);
      if (!opens) throw new Error('nobody there');
      onOpen();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    { log: createLogger('canary', 'a', 'silent'), random: () => 1, pauses: PAUSES },
  );
  return {
    kept,
    tries,
    signals,
    open: () => {
      opens = true;
    },
  };
}

test('P12: the waits between tries grow up to a limit, and are short again after a connection', async () => {
  const { kept, tries, open } = setUp();
  await jest.advanceTimersByTimeAsync(1_500);
  expect(tries).toEqual([0, 100, 300, 700, 1_100, 1_500]);
  expect(kept.connected()).toBe(false);
  open();
  await jest.advanceTimersByTimeAsync(400);
  expect(kept.connected()).toBe(true);
  kept.drop();
  await jest.advanceTimersByTimeAsync(99);
  expect(kept.connected()).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect([kept.connected(), tries.slice(6)]).toEqual([true, [1_900, 2_000]]);
  await kept.close();
});

test('closed, it ends what is open and tries no more', async () => {
  const { kept, tries, signals, open } = setUp();
  open();
  await jest.advanceTimersByTimeAsync(100);
  await kept.close();
  expect([kept.connected(), signals.at(-1)?.aborted]).toEqual([false, true]);
  const before = tries.length;
  await jest.advanceTimersByTimeAsync(10_000);
  expect(tries).toHaveLength(before);
});
