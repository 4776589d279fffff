import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Outcome } from '../transports/transport.ts';
import { OriginLimit } from './origin-limit.ts';
import { OriginLimits } from './origin-limits.ts';

const OPTIONS = { most: 1_000, random: () => 0 };
const ACCEPTED: Outcome = { kind: 'accepted' };
const throttled = (retryAfterMs: number): Outcome => ({
  kind: 'throttled',
  scope: 'device',
  retryAfterMs,
});

/** One round trip: as many sends as the limit allows, each answered after `latencyMs`. Returns when it is over. */
function round(
  limit: OriginLimit,
  fromMs: number,
  answer: (index: number) => Outcome,
  latencyMs = 50,
): number {
  let count = 0;
  for (; limit.mayStart(fromMs, 'message'); count++) limit.started(fromMs);
  for (let i = 0; i < count; i++) limit.ended(answer(i), latencyMs, fromMs + latencyMs);
  return fromMs + latencyMs;
}

function rounds(limit: OriginLimit, fromMs: number, count: number, latencyMs = 50): number {
  let nowMs = fromMs;
  for (let i = 0; i < count; i++) nowMs = round(limit, nowMs, () => ACCEPTED, latencyMs);
  return nowMs;
}

test('grows twofold each round trip until there is a sign of too much, up to the most', () => {
  const limit = new OriginLimit(OPTIONS);
  rounds(limit, 0, 1);
  expect(limit.limit).toBeGreaterThan(50);
  rounds(limit, 50, 5);
  expect(limit.limit).toBe(1_000);
});

test('one device’s 429 halves it once, and it recovers by steps', () => {
  const limit = new OriginLimit(OPTIONS);
  const nowMs = rounds(limit, 0, 6);
  const after = round(limit, nowMs, (i) => (i % 100 === 0 ? throttled(60_000) : ACCEPTED));
  expect(limit.limit).toBe(500);
  expect(limit.isPaused(after)).toBe(false);
  rounds(limit, after, 40);
  expect(limit.limit).toBe(1_000);
});

test('a limit that is not used does not grow', () => {
  const limit = new OriginLimit(OPTIONS);
  for (let i = 0; i < 1_000; i++) {
    limit.started(i * 60);
    limit.ended(ACCEPTED, 50, i * 60);
  }
  expect(limit.limit).toBe(32);
});

test('five 429 in a row mean the origin: it rests for the shortest Retry-After among them', () => {
  const limit = new OriginLimit(OPTIONS);
  const nowMs = rounds(limit, 0, 6);
  const after = round(limit, nowMs, (i) => throttled(i === 2 ? 20_000 : 600_000));
  expect(limit.mayStart(after + 19_999, 'message')).toBe(false);
  expect(limit.askAgainAtMs(after)).toBe(after + 20_000);
  expect(limit.mayStart(after + 20_000, 'message')).toBe(true);
});

test('latency far above its floor halves it, but slowness alone leaves an eighth of the most', () => {
  const limit = new OriginLimit(OPTIONS);
  let nowMs = rounds(limit, 0, 6, 20);
  expect(limit.limit).toBe(1_000);
  for (let i = 0; i < 4; i++) nowMs = round(limit, nowMs, () => ACCEPTED, 2_000);
  expect(limit.limit).toBe(125);
});

test('a way that has become longer for good is the new floor after twenty seconds', () => {
  const limit = new OriginLimit(OPTIONS);
  let nowMs = rounds(limit, 0, 6, 20);
  while (nowMs < 60_000) nowMs = round(limit, nowMs, () => ACCEPTED, 1_000);
  expect(limit.limit).toBeGreaterThan(500);
});

test('P12: whatever comes back, the limit stays between one and the most, and recovers', () => {
  const outcome = fc.constantFrom<Outcome>(
    ACCEPTED,
    { kind: 'gone' },
    throttled(0),
    throttled(5_000),
    { kind: 'unavailable', reason: 'timeout', retryAfterMs: 1_000 },
  );
  const step = fc.tuple(outcome, fc.integer({ min: 1, max: 10_000 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const limit = new OriginLimit({ ...OPTIONS, most: 200 });
      let nowMs = 0;
      for (const [what, latencyMs] of steps) {
        nowMs = round(limit, nowMs, () => what, latencyMs);
        expect(limit.limit).toBeGreaterThanOrEqual(1);
        expect(limit.limit).toBeLessThanOrEqual(200);
      }
      const waitedMs = limit.askAgainAtMs(nowMs + 60_000);
      rounds(limit, waitedMs + 60_000, 300, 50);
      expect(limit.limit).toBe(200);
      expect(limit.inFlight).toBe(0);
    }),
    { numRuns: 25 },
  );
});

test('an origin that is down holds back its own sends, not those of others', () => {
  const limits = new OriginLimits(OPTIONS);
  const [dead, well] = [limits.of('https://dead.example'), limits.of('https://well.example')];
  for (let i = 0; i < 40; i++) {
    dead.started(i * 100);
    dead.ended({ kind: 'unavailable', reason: 'connection', retryAfterMs: 1_000 }, 5, i * 100);
  }
  expect(dead.mayStart(4_000, 'message')).toBe(false);
  expect(well.mayStart(4_000, 'message')).toBe(true);
  expect(limits.figures(4_000).breakers).toEqual({ closed: 1, open: 1, 'half-open': 0 });
});

test('P12: origins are bounded, and one with sends in flight is never forgotten', () => {
  const limits = new OriginLimits(OPTIONS);
  const busy = limits.of('https://busy.example');
  busy.started(0);
  for (let i = 0; i < 5_000; i++) limits.of(`https://${i}.example`);
  expect(limits.size).toBe(500);
  expect(limits.of('https://busy.example')).toBe(busy);
});

test('P12: with every known origin busy, newcomers share one limit', () => {
  const limits = new OriginLimits(OPTIONS);
  for (let i = 0; i < 500; i++) limits.of(`https://${i}.example`).started(0);
  expect(limits.of('https://x.example')).toBe(limits.of('https://y.example'));
  expect(limits.size).toBe(500);
});
