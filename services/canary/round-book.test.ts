import { expect, test } from '@jest/globals';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import { createRoundBook } from './round-book.ts';

const PATH: CanaryPath = { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'fcm' };
const RECEIPT = { probe: 'a-fcm', nonce: 'n1', via: 'b', transport: 'fcm' } as const;

function setUp() {
  const clock = { now: 0 };
  const latencies: number[] = [];
  const book = createRoundBook(() => clock.now);
  book.open('n1', PATH, (latencyMs) => latencies.push(latencyMs));
  return { clock, latencies, book };
}

test.each([
  ['another nonce', { ...RECEIPT, nonce: 'n2' }, 'unknown-nonce'],
  ['no nonce', { ...RECEIPT, nonce: undefined }, 'unknown-nonce'],
  ['another dispatcher', { ...RECEIPT, via: 'a' }, 'wrong-dispatcher'],
  ['no dispatcher', { ...RECEIPT, via: undefined }, 'wrong-dispatcher'],
  ['another transport', { ...RECEIPT, transport: 'web-push' as const }, 'wrong-transport'],
])('a receipt with %s proves nothing', (_what, receipt, reason) => {
  const { book, latencies } = setUp();
  expect(book.receive(receipt)).toBe(reason);
  expect(latencies).toEqual([]);
  expect(book.receive(RECEIPT)).toBe('counted');
});

test('a round is closed once, with the time that it took', () => {
  const { book, latencies, clock } = setUp();
  clock.now = 340;
  expect([book.receive(RECEIPT), book.receive(RECEIPT)]).toEqual(['counted', 'repeated']);
  expect(book.receive({ ...RECEIPT, probe: 'other' })).toBe('counted');
  expect(latencies).toEqual([340]);
});

test('P5: a receiver that is not the path’s own proves itself, not the path', () => {
  const latencies: number[] = [];
  const counted: string[] = [];
  const book = createRoundBook(() => 0, {
    proves: (probe) => probe === 'a-fcm',
    onCounted: (probe) => counted.push(probe),
  });
  book.open('n1', PATH, (latencyMs) => latencies.push(latencyMs));
  expect(book.receive({ ...RECEIPT, probe: 'a-probe-x' })).toBe('counted');
  expect(latencies).toEqual([]);
  expect(book.receive(RECEIPT)).toBe('counted');
  expect(latencies).toEqual([0]);
  expect(counted).toEqual(['a-probe-x', 'a-fcm']);
});

test('P12: rounds are forgotten after the life of a canary', () => {
  const { book, clock } = setUp();
  clock.now = 100_000;
  expect(book.receive(RECEIPT)).toBe('unknown-nonce');
});
