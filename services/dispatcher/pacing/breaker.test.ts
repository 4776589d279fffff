import { expect, test } from '@jest/globals';
import type { Outcome } from '../transports/transport.ts';
import { Breaker } from './breaker.ts';

const down = (reason: string): Outcome => ({ kind: 'unavailable', reason, retryAfterMs: 1_000 });

/** Fails sends, ten a second, from an instant on. */
function fail(breaker: Breaker, outcome: Outcome, fromMs: number, count: number): void {
  for (let i = 0; i < count; i++) breaker.ended(outcome, 20, fromMs + i * 100);
}

function opened(): Breaker {
  const breaker = new Breaker(() => 0);
  fail(breaker, down('connection'), 0, 31);
  expect(breaker.state).toBe('open');
  return breaker;
}

test.each(['connection', 'provider-error', 'timeout'])(
  'opens when nothing but "%s" comes back for three seconds',
  (reason) => {
    const breaker = new Breaker(() => 0);
    fail(breaker, down(reason), 0, 30);
    expect(breaker.state).toBe('closed');
    fail(breaker, down(reason), 3_000, 1);
    expect(breaker.state).toBe('open');
  },
);

test('a few failures are no outage, however long ago they began', () => {
  const breaker = new Breaker(() => 0);
  for (let i = 0; i < 19; i++) breaker.ended(down('timeout'), 10_000, i * 10_000);
  expect(breaker.state).toBe('closed');
});

test('a provider that hangs is known for down after one time-out', () => {
  const breaker = new Breaker(() => 0);
  for (let i = 0; i < 20; i++) breaker.ended(down('timeout'), 10_000, 10_000);
  expect(breaker.state).toBe('open');
});

test.each<[string, Outcome]>([
  ['429 of a device', { kind: 'throttled', scope: 'device', retryAfterMs: 1_000 }],
  ['429 of a project', { kind: 'throttled', scope: 'project', retryAfterMs: 1_000 }],
  ['gone', { kind: 'gone' }],
  ['refused message', { kind: 'rejected', reason: 'bad-token' }],
  ['refused credential', down('auth')],
  ['abort', down('aborted')],
])('a %s never opens it', (_name, outcome) => {
  const breaker = new Breaker(() => 0);
  fail(breaker, outcome, 0, 1_000);
  expect(breaker.state).toBe('closed');
});

test('one answer among the failures, be it a 410, and they are not in a row', () => {
  const breaker = new Breaker(() => 0);
  for (let round = 0; round < 20; round++) {
    fail(breaker, down('connection'), round * 2_000, 19);
    breaker.ended({ kind: 'gone' }, 20, round * 2_000 + 1_950);
  }
  expect(breaker.state).toBe('closed');
});

test('half-open: one send tries when its time has come, and its acceptance lets all go', () => {
  const breaker = opened();
  expect(breaker.mayStart(3_100, 'message')).toBe(false);
  const atMs = breaker.askAgainAtMs(3_100);
  expect(breaker.mayStart(atMs, 'message')).toBe(true);
  breaker.started();
  expect(breaker.state).toBe('half-open');
  expect(breaker.mayStart(atMs, 'message')).toBe(false);
  expect(breaker.mayStart(atMs, 'test')).toBe(false);
  breaker.ended({ kind: 'accepted' }, 20, atMs + 20);
  expect(breaker.state).toBe('closed');
  expect(breaker.mayStart(atMs + 20, 'message')).toBe(true);
});

test('half-open by the canary: its test send goes at any moment', () => {
  const breaker = opened();
  expect(breaker.mayStart(3_001, 'test')).toBe(true);
  breaker.started();
  breaker.ended({ kind: 'gone' }, 20, 3_020);
  expect(breaker.state).toBe('closed');
});

test('while it stays down the tries come further apart, but never more than 15 s', () => {
  const breaker = opened();
  const waits: number[] = [];
  let nowMs = 3_100;
  for (let i = 0; i < 8; i++) {
    const atMs = breaker.askAgainAtMs(nowMs);
    waits.push(atMs - nowMs);
    breaker.started();
    nowMs = atMs + 20;
    breaker.ended(down('connection'), 20, nowMs);
  }
  expect(waits[3]).toBeGreaterThan(waits[1] ?? Number.NaN);
  expect(Math.max(...waits)).toBeLessThanOrEqual(15_000);
});

test('a probe that was aborted decides nothing, and makes room for the next', () => {
  const breaker = opened();
  const atMs = breaker.askAgainAtMs(3_100);
  breaker.started();
  breaker.ended(down('aborted'), 20, atMs);
  expect(breaker.state).toBe('open');
  expect(breaker.mayStart(atMs, 'message')).toBe(true);
});
