import { expect, test } from '@jest/globals';
import { createLogger } from '../../../shared/log/logger.ts';
import { keepConnected } from './keep-connected.ts';

const PAUSES = { firstMs: 100, maxMs: 400 };

/** A service that is told what to do by the test, and waits that last until the test ends them. */
function setUp() {
  const signals: AbortSignal[] = [];
  const waits: number[] = [];
  let opens = false;
  let endWait: () => void = () => undefined;
  const kept = keepConnected(
    async (onOpen, signal) => {
      signals.push(signal);
      if (!opens) throw new Error('nobody there');
      onOpen();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    {
      log: createLogger('canary', 'a', 'silent'),
      random: () => 1,
      pauses: PAUSES,
      wait: (ms, signal) => {
        waits.push(ms);
        return new Promise<void>((resolve) => {
          endWait = resolve;
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve());
        });
      },
    },
  );
  return {
    kept,
    signals,
    waits,
    open: () => {
      opens = true;
    },
    /** Ends the wait of now, and lets what follows from it come about. */
    pass: async () => {
      endWait();
      await settled();
    },
  };
}

/** Everything that needs no timer has come about. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('P12: the waits between tries grow up to a limit, and are short again after a connection', async () => {
  const { kept, signals, waits, open, pass } = setUp();
  await settled();
  for (let tries = 1; tries < 5; tries++) await pass();
  expect(waits).toEqual([100, 200, 400, 400, 400]);
  expect([kept.connected(), signals.length]).toEqual([false, 5]);
  open();
  await pass();
  expect([kept.connected(), signals.length]).toEqual([true, 6]);
  kept.drop();
  await settled();
  expect([kept.connected(), waits.at(-1), signals.length]).toEqual([false, 100, 6]);
  await pass();
  expect([kept.connected(), signals.length]).toEqual([true, 7]);
  await kept.close();
});

test('closed, it ends what is open and tries no more', async () => {
  const { kept, signals, waits, open } = setUp();
  open();
  await settled();
  await kept.close();
  expect([kept.connected(), signals.at(-1)?.aborted]).toEqual([false, true]);
  expect([signals.length, waits.length]).toEqual([1, 1]);
});

test('closed between two tries, it does not wait for the next', async () => {
  const { kept, signals } = setUp();
  await settled();
  await kept.close();
  expect(signals).toHaveLength(1);
});
