import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Outcome } from '../transports/transport.ts';
import { ProjectQuota } from './project-quota.ts';

const THROTTLED: Outcome = { kind: 'throttled', scope: 'project', retryAfterMs: 30_000 };
const ALONE = { quotaPerMinute: 60_000, rampSeconds: 0, liveNodes: () => 1 };

/** Sends whatever is allowed, every 10 ms of virtual time, and says how many went in each second. */
function saturate(quota: ProjectQuota, fromMs: number, seconds: number): number[] {
  const perSecond = Array.from({ length: seconds }, () => 0);
  for (let nowMs = fromMs; nowMs < fromMs + seconds * 1000; nowMs += 10)
    while (quota.mayStart(nowMs)) {
      quota.started(nowMs);
      const second = Math.floor((nowMs - fromMs) / 1000);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
    }
  return perSecond;
}

const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);

test('one node that is alone spends the quota but for a second in each minute', () => {
  const perMinute = sum(saturate(new ProjectQuota(ALONE, 0), 0, 60));
  expect(perMinute).toBeGreaterThan(60_000 * 0.97);
  expect(perMinute).toBeLessThanOrEqual(60_000);
});

test('the ramp is kept: a tenth at first, all of it when its time is over, and again after a minute of rest', () => {
  const quota = new ProjectQuota({ ...ALONE, rampSeconds: 20 }, 0);
  const rates = saturate(quota, 0, 30);
  expect(rates[0]).toBeLessThan(150);
  expect(rates[10]).toBeGreaterThan(500);
  expect(rates[10]).toBeLessThan(650);
  expect(rates[29]).toBeGreaterThan(950);
  expect(saturate(quota, 95_000, 2)[1]).toBeLessThan(200);
});

test('a canary’s trickle is no ramp', () => {
  const quota = new ProjectQuota({ ...ALONE, rampSeconds: 10 }, 0);
  for (let nowMs = 0; nowMs < 300_000; nowMs += 1_000)
    if (quota.mayStart(nowMs)) quota.started(nowMs);
  expect(quota.ratePerSecond(300_000)).toBeLessThan(150);
});

test('after a rest what fits into half a second goes at once', () => {
  const quota = new ProjectQuota({ ...ALONE, rampSeconds: 10 }, 0);
  quota.mayStart(60_000);
  let atOnce = 0;
  for (; quota.mayStart(60_000); atOnce++) quota.started(60_000);
  expect(atOnce).toBe(491);
});

test('a throttled project: nothing before its Retry-After is over, half the rate then, all of it two minutes on', () => {
  const quota = new ProjectQuota(ALONE, 0);
  saturate(quota, 0, 10);
  // Sends that left together are one sign, however many of them come back.
  for (let i = 0; i < 100; i++) quota.ended(THROTTLED, 50, 10_000 + i / 10);
  expect(quota.mayStart(39_999)).toBe(false);
  expect(quota.askAgainAtMs(20_000)).toBeGreaterThanOrEqual(40_000);
  expect(quota.ratePerSecond(20_000)).toBe(0);
  const after = saturate(quota, 40_010, 90);
  expect(after[0]).toBeGreaterThan(450);
  expect(after[0]).toBeLessThan(560);
  expect(after[75]).toBeGreaterThan(950);
});

test('P12: however often it is throttled, some part of the rate is left', () => {
  const quota = new ProjectQuota(ALONE, 0);
  for (let i = 0; i < 100; i++)
    quota.ended({ kind: 'throttled', scope: 'project', retryAfterMs: 0 }, 0, i);
  expect(quota.ratePerSecond(200)).toBeGreaterThan(40);
});

test.each<[string, Outcome]>([
  ['a 429 about one device', { kind: 'throttled', scope: 'device', retryAfterMs: 60_000 }],
  ['a gone device', { kind: 'gone' }],
  ['a provider that is down', { kind: 'unavailable', reason: 'connection', retryAfterMs: 1_000 }],
])('%s leaves the project’s rate as it is', (_what, outcome) => {
  const quota = new ProjectQuota(ALONE, 0);
  for (let i = 0; i < 100; i++) quota.ended(outcome, 50, 1_000);
  expect(quota.mayStart(1_010)).toBe(true);
  expect(quota.ratePerSecond(1_010)).toBeGreaterThan(950);
});

test('a survivor takes the whole quota at once when its peer is silent', () => {
  let live = 2;
  const quota = new ProjectQuota({ ...ALONE, liveNodes: () => live }, 0);
  const before = saturate(quota, 0, 10);
  live = 1;
  const after = saturate(quota, 10_000, 2);
  expect(before[9]).toBeLessThan(500);
  expect(after[0]).toBeGreaterThan(950);
});

/** A node falls silent at an instant and comes up again after some seconds (with nothing in its bucket). */
const Fault = fc.record({
  node: fc.nat(3),
  atMs: fc.integer({ min: 0, max: 170_000 }),
  awayMs: fc.integer({ min: 500, max: 60_000 }),
});

test('no minute ever sees more than the quota, whichever nodes die and come back in it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 5, 10, 60),
      fc.integer({ min: 0, max: 90 }),
      fc.constantFrom(100, 2_000, 5_000),
      fc.array(Fault, { maxLength: 3 }),
      (nodes, rampSeconds, idleSeconds, silentAfterMs, faults) => {
        const idleMs = idleSeconds * 1_000;
        const sent = play({ nodes, rampSeconds, idleMs, silentAfterMs, faults });
        expect(mostInAMinute(sent)).toBeLessThanOrEqual(QUOTA);
      },
    ),
    { numRuns: 20 },
  );
});

const QUOTA = 6_000;
const STEP_MS = 10;
/** A return is heard of within 2 s. */
const HEARD_AFTER_MS = 2_000;

interface Night {
  readonly nodes: number;
  readonly rampSeconds: number;
  readonly idleMs: number;
  /** What nodes know of each other comes late: a refused connection says it at once, silence after 5 s. */
  readonly silentAfterMs: number;
  readonly faults: readonly { node: number; atMs: number; awayMs: number }[];
}

/** Three minutes in which every node that is up sends all that it may; how many went in each 10 ms. */
function play({ nodes, rampSeconds, idleMs, silentAfterMs, faults }: Night): number[] {
  const awayOf = (node: number) => faults.filter((fault) => fault.node % nodes === node);
  const isUp = (node: number, nowMs: number) =>
    awayOf(node).every(({ atMs, awayMs }) => nowMs < atMs || nowMs >= atMs + awayMs);
  const isThoughtSilent = (node: number, nowMs: number) =>
    awayOf(node).some(
      ({ atMs, awayMs }) =>
        awayMs > silentAfterMs &&
        nowMs >= atMs + silentAfterMs &&
        nowMs < atMs + awayMs + HEARD_AFTER_MS,
    );
  let nowMs = 0;
  const startNode = (self: number) => {
    const sinceMs = nowMs;
    return new ProjectQuota(
      {
        quotaPerMinute: QUOTA,
        rampSeconds,
        liveNodes: () =>
          Array.from({ length: nodes }, (_, node) => node).filter(
            // Who has just come up takes everybody for live.
            (node) =>
              node === self || nowMs - sinceMs < silentAfterMs || !isThoughtSilent(node, nowMs),
          ).length,
      },
      nowMs,
    );
  };
  const quotas = Array.from({ length: nodes }, (_, node) => startNode(node));
  const wasUp = quotas.map(() => true);
  const sent: number[] = [];
  for (; nowMs < 180_000; nowMs += STEP_MS) {
    let count = 0;
    for (const node of quotas.keys()) {
      const up = isUp(node, nowMs);
      if (up && !wasUp[node]) quotas[node] = startNode(node);
      wasUp[node] = up;
      const quota = quotas[node];
      for (; up && nowMs >= idleMs && quota?.mayStart(nowMs); count++) quota.started(nowMs);
    }
    sent.push(count);
  }
  return sent;
}

function mostInAMinute(sent: readonly number[]): number {
  const width = 60_000 / STEP_MS;
  let inWindow = 0;
  let most = 0;
  for (const [index, count] of sent.entries()) {
    inWindow += count - (sent[index - width] ?? 0);
    most = Math.max(most, inWindow);
  }
  return most;
}
