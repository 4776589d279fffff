import { beforeEach, expect, test } from '@jest/globals';
import type { ProofReport } from '../../shared/receipt/proof.ts';
import { RouteTrust } from './trust.ts';

const LATENCY_MS = 5;

let nowMs: number;
let trust: RouteTrust;
beforeEach(() => {
  nowMs = 1_000_000;
  trust = new RouteTrust(() => nowMs);
});

function report(
  ageMs: number,
  dispatcher = 'b',
  transport: 'fcm' | 'web-push' = 'fcm',
): ProofReport {
  const path = { ingest: 'a', lane: 'bus' as const, dispatcher, transport };
  return { v: 1, canary: 'a', proofs: [{ path, ageMs, latencyMs: LATENCY_MS }] };
}

test('unproved until a canary says otherwise, and only for that node and transport', () => {
  expect(trust.isProved('b', 'fcm')).toBe(false);
  trust.note(report(0), nowMs);
  expect(trust.isProved('b', 'fcm')).toBe(true);
  expect(trust.isProved('b', 'web-push')).toBe(false);
  expect(trust.isProved('c', 'fcm')).toBe(false);
});

test('a proof lapses by itself after 150 s, counted from the proof and not from the report', () => {
  trust.note(report(50_000), nowMs);
  nowMs += 100_000;
  expect(trust.isProved('b', 'fcm')).toBe(true);
  nowMs += 1;
  expect(trust.isProved('b', 'fcm')).toBe(false);
});

test('an older proof that comes later does not shorten a newer one', () => {
  trust.note(report(0), nowMs);
  trust.note(report(140_000), nowMs);
  nowMs += 150_000;
  expect(trust.isProved('b', 'fcm')).toBe(true);
});

test('a report stored by a clock that is ahead of ours proves nothing of the future', () => {
  trust.note(report(0), nowMs + 3_600_000);
  nowMs += 150_001;
  expect(trust.isProved('b', 'fcm')).toBe(false);
});

test('a receipt is confirmed by a proof after it, trusted by one before it, and unproved when that lapses', () => {
  nowMs += LATENCY_MS;
  trust.note(report(0), nowMs);
  const heardAtMs = nowMs - LATENCY_MS;
  expect(trust.of('b', 'fcm', heardAtMs)).toBe('confirmed');
  expect(trust.of('b', 'fcm', heardAtMs + 1)).toBe('trusted');
  expect(trust.of('b', 'web-push', nowMs)).toBe('unproved');
  nowMs += 150_001;
  expect(trust.of('b', 'fcm', 1_000_001)).toBe('unproved');
  // Proved after it spoke: that stays true.
  expect(trust.of('b', 'fcm', 1_000_000)).toBe('confirmed');
});

test('P2: a round that was on its way before a receipt came confirms nothing, however late it is received', () => {
  const heardAtMs = nowMs;
  nowMs += 4_999;
  const path = { ingest: 'a', lane: 'bus' as const, dispatcher: 'b', transport: 'fcm' as const };
  const slow = { path, ageMs: 0, latencyMs: 5_000 };
  trust.note({ v: 1, canary: 'a', proofs: [slow] }, nowMs);
  expect(trust.of('b', 'fcm', heardAtMs)).toBe('trusted');
  nowMs++;
  trust.note({ v: 1, canary: 'a', proofs: [slow] }, nowMs);
  expect(trust.of('b', 'fcm', heardAtMs)).toBe('confirmed');
});
