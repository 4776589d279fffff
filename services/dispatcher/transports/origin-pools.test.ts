import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ORIGIN_CLIENT_DEFAULTS, OriginClient } from './origin-client.ts';
import { OriginPools } from './origin-pools.ts';

const never = new AbortController().signal;
let closed: string[];
let pools: OriginPools;

beforeEach(() => {
  jest.useFakeTimers();
  closed = [];
  pools = new OriginPools(
    { maxOrigins: 3, idleMs: 600_000 },
    { open: aClient, now: () => Date.now(), onClosed: () => closed.push('all') },
  );
});
afterEach(async () => {
  await pools.close();
  jest.useRealTimers();
});

/** One that never hears what its service speaks: what it takes waits. */
function aClient(origin: string): OriginClient {
  const client = new OriginClient(ORIGIN_CLIENT_DEFAULTS, {
    probe: () => new Promise(() => undefined),
    open: () => {
      throw new Error('nothing is opened');
    },
    pace: {
      mayStart: () => true,
      askAgainAtMs: (nowMs) => nowMs + 10,
      started: () => undefined,
      ended: () => undefined,
    },
    outcomeOf: () => ({ kind: 'accepted' }),
    onRefused: () => undefined,
    isAlone: () => true,
    random: () => 0.5,
    now: () => Date.now(),
  });
  void client.ready.then(() => closed.push(origin));
  return client;
}

const busy = (origin: string) =>
  pools
    .at(origin)
    ?.send(
      { path: '/', headers: {}, body: Buffer.alloc(0), signal: never },
      'message',
      () => undefined,
    );

test('P12: for a new origin the one that was longest without use is closed, never one that is busy', async () => {
  busy('https://a');
  for (const origin of ['https://b', 'https://c']) {
    await jest.advanceTimersByTimeAsync(10);
    pools.at(origin);
  }
  await jest.advanceTimersByTimeAsync(10);
  pools.at('https://b');
  pools.at('https://d');
  await jest.advanceTimersByTimeAsync(1);
  expect(closed).toEqual(['https://c']);
  expect(pools.size).toBe(3);
  busy('https://b');
  busy('https://d');
  expect(pools.isQuiet).toBe(false);
  expect(pools.at('https://e')).toBeUndefined();
});

test('an origin without use is closed after the idle time; one that is kept warm is not', async () => {
  pools.at('https://a');
  const before = pools.at('https://b');
  for (let minute = 0; minute < 11; minute++) {
    await jest.advanceTimersByTimeAsync(60_000);
    pools.at('https://b');
  }
  expect(closed).toEqual(['https://a']);
  expect(pools.at('https://b')).toBe(before);
});

test('after close nothing is opened', async () => {
  pools.at('https://a');
  await pools.close();
  expect(pools.at('https://a')).toBeUndefined();
  expect(closed).toContain('all');
});
