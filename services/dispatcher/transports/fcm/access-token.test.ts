import { afterEach, expect, jest, test } from '@jest/globals';
import { type AccessToken, AccessTokens } from './access-token.ts';

const HOUR_MS = 3_600_000;

afterEach(() => {
  jest.useRealTimers();
});

function start(fetchToken: (call: number) => Promise<AccessToken>) {
  jest.useFakeTimers({ now: Date.parse('2026-07-14T20:00:00Z') });
  let calls = 0;
  const results: boolean[] = [];
  const tokens = new AccessTokens({
    fetchToken: () => fetchToken(++calls),
    clock: () => Date.now(),
    random: () => 0.5,
    onRefresh: ({ ok }) => results.push(ok),
  });
  return { tokens, results, calls: () => calls };
}

const fresh = (call: number): AccessToken => ({
  value: `token-${call}`,
  expiresAtMs: Date.now() + HOUR_MS,
});

test('a thousand sends ask once; the token is renewed in the background before it ends', async () => {
  const { tokens, calls } = start(async (call) => fresh(call));
  const all = await Promise.all(Array.from({ length: 1000 }, () => tokens.get()));
  expect(new Set(all)).toEqual(new Set(['token-1']));
  expect(calls()).toBe(1);
  await jest.advanceTimersByTimeAsync(0.76 * HOUR_MS);
  expect(await tokens.get()).toBe('token-2');
  tokens.close();
  await jest.advanceTimersByTimeAsync(10 * HOUR_MS);
  expect(calls()).toBe(2);
});

test('a token endpoint that hangs costs a send three seconds, then nothing; it is asked again with growing pauses', async () => {
  const { tokens, calls, results } = start(() => new Promise(() => undefined));
  const first = tokens.get();
  await jest.advanceTimersByTimeAsync(3_000);
  expect(await first).toBeUndefined();
  await jest.advanceTimersByTimeAsync(7_000);
  expect(results).toEqual([false]);
  expect(await tokens.get()).toBeUndefined();
  await jest.advanceTimersByTimeAsync(300_000);
  expect(calls()).toBeGreaterThan(5);
  expect(calls()).toBeLessThan(20);
  tokens.close();
});

test('while the endpoint is down the token in hand is used to its end, and a new one when it is back', async () => {
  let up = true;
  const { tokens } = start(async (call) => {
    if (!up) throw new Error('down');
    return fresh(call);
  });
  expect(await tokens.get()).toBe('token-1');
  up = false;
  await jest.advanceTimersByTimeAsync(0.99 * HOUR_MS);
  expect(await tokens.get()).toBe('token-1');
  await jest.advanceTimersByTimeAsync(0.02 * HOUR_MS);
  expect(await tokens.get()).toBeUndefined();
  up = true;
  await jest.advanceTimersByTimeAsync(61_000);
  expect(await tokens.get()).toMatch(/^token-/);
  tokens.close();
});

test('a refused token is renewed once, not by every refusal, and at most once a minute', async () => {
  const { tokens, calls } = start(async (call) => fresh(call));
  expect(await tokens.get()).toBe('token-1');
  for (let i = 0; i < 100; i++) tokens.refused('token-1');
  await jest.advanceTimersByTimeAsync(10);
  expect(await tokens.get()).toBe('token-2');
  tokens.refused('token-1');
  tokens.refused('token-2');
  await jest.advanceTimersByTimeAsync(10);
  expect(calls()).toBe(2);
  await jest.advanceTimersByTimeAsync(60_000);
  tokens.refused('token-2');
  await jest.advanceTimersByTimeAsync(10);
  expect(await tokens.get()).toBe('token-3');
  tokens.close();
});
