import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { FairShare, type LaneOfWork, type ShareHolder } from './fair-share.ts';
import { FcmPace } from './pacing/fcm-pace.ts';

/** A busy alert: asks for the next place as soon as it has one, and gives it back when told. */
function crowd(share: FairShare, turns: string[], held: LaneOfWork[]) {
  return (name: string, holder: ShareHolder, lane: LaneOfWork, count: number) =>
    (async () => {
      for (let i = 0; i < count; i++) {
        await share.acquire(holder, lane);
        turns.push(name);
        held.push(lane);
      }
    })();
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Gives back one place after the other until `count` turns have been taken. */
async function serve(
  share: FairShare,
  turns: string[],
  held: LaneOfWork[],
  count: number,
): Promise<void> {
  await settle();
  while (turns.length < count) {
    const lane = held.shift();
    if (lane === undefined) throw new Error('nobody holds a place and nobody gets one');
    share.release(lane);
    await settle();
  }
}

const countOf = (turns: readonly string[], name: string) =>
  turns.filter((each) => each === name).length;

test('turns go by weight: 16 to 8 to 1', async () => {
  const [share, turns, held] = [new FairShare(4), [] as string[], [] as LaneOfWork[]];
  const join = crowd(share, turns, held);
  void join('extreme', share.join(16), 'first', 1_000);
  void join('severe', share.join(8), 'first', 1_000);
  void join('unknown', share.join(1), 'first', 1_000);
  await serve(share, turns, held, 500);
  expect(countOf(turns, 'extreme')).toBeGreaterThan(500 * (16 / 25) - 12);
  expect(countOf(turns, 'severe')).toBeGreaterThan(500 * (8 / 25) - 12);
  // Not starved.
  expect(countOf(turns, 'unknown')).toBeGreaterThan(500 * (1 / 25) - 12);
});

test('a new alert gets turns at once beside one that has sent for long', async () => {
  const [share, turns, held] = [new FairShare(4), [] as string[], [] as LaneOfWork[]];
  const join = crowd(share, turns, held);
  void join('old', share.join(16), 'first', 10_000);
  await serve(share, turns, held, 1_000);
  void join('new', share.join(16), 'first', 1_000);
  await serve(share, turns, held, 1_040);
  expect(countOf(turns.slice(1_000), 'new')).toBeGreaterThanOrEqual(17);
});

test('an alert that has waited long does not save up turns: it takes its share and no more', async () => {
  const [share, turns, held] = [new FairShare(4), [] as string[], [] as LaneOfWork[]];
  const join = crowd(share, turns, held);
  const idle = share.join(2);
  const busy = share.join(16);
  void join('idle', idle, 'first', 10);
  void join('busy', busy, 'first', 10_000);
  await serve(share, turns, held, 2_000);
  void join('idle', idle, 'first', 1_000);
  await serve(share, turns, held, 2_090);
  expect(countOf(turns.slice(2_000), 'busy')).toBeGreaterThan(70);
});

test('retries are slow while first tries wait, and never starved', async () => {
  const [share, turns, held] = [new FairShare(8), [] as string[], [] as LaneOfWork[]];
  const join = crowd(share, turns, held);
  void join('first', share.join(1), 'first', 10_000);
  void join('retry', share.join(16), 'retry', 10_000);
  await serve(share, turns, held, 808);
  const retries = countOf(turns.slice(8), 'retry');
  expect(retries).toBeGreaterThanOrEqual(90);
  expect(retries).toBeLessThanOrEqual(120);
});

test('a new alert’s first tries get the next places after those that retries hold', async () => {
  const [share, turns, held] = [new FairShare(8), [] as string[], [] as LaneOfWork[]];
  const join = crowd(share, turns, held);
  void join('retry', share.join(16), 'retry', 10_000);
  await settle();
  expect(held).toHaveLength(8);
  void join('first', share.join(1), 'first', 100);
  await serve(share, turns, held, 16);
  expect(countOf(turns.slice(8), 'first')).toBeGreaterThanOrEqual(7);
});

test('P12: never more than the capacity, and no place leaks, whatever the order of asking and giving back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.constantFrom<LaneOfWork | 'release'>('first', 'retry', 'release'), {
        maxLength: 60,
      }),
      async (capacity, events) => {
        const share = new FairShare(capacity);
        const holder = share.join(4);
        const held: LaneOfWork[] = [];
        let asked = 0;
        let got = 0;
        const give = () => {
          const lane = held.shift();
          if (lane !== undefined) share.release(lane);
        };
        for (const event of events) {
          if (event === 'release') give();
          else {
            asked++;
            void share.acquire(holder, event).then(() => {
              got++;
              held.push(event);
            });
          }
          await settle();
          await settle();
          expect(share.inFlight).toBeLessThanOrEqual(capacity);
          // Whoever can have a place has it.
          expect(share.inFlight).toBe(Math.min(capacity, asked - (got - held.length)));
        }
        while (held.length > 0) {
          give();
          await settle();
          await settle();
        }
        expect(got).toBe(asked);
        expect(share.inFlight).toBe(0);
      },
    ),
  );
});

/** FCM's quota of one node, 60,000 a minute without a ramp: 491 at once, then 983 a second. */
function paced(capacity: number) {
  const clock = { nowMs: 0 };
  const pace = new FcmPace(
    { quotaPerMinute: 60_000, rampSeconds: 0, liveNodes: () => 1, random: () => 0 },
    0,
  );
  const share = new FairShare(capacity, { pace, now: () => clock.nowMs });
  return { share, pace, clock };
}

test('a new alert’s first tries go before an old one’s retries when the quota is what is scarce', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  const { share, clock } = paced(1_000);
  const turns: string[] = [];
  const loop = async (name: string, holder: ShareHolder, lane: LaneOfWork) => {
    while (await share.acquire(holder, lane)) {
      turns.push(name);
      share.release(lane, { kind: 'accepted' }, 0);
    }
  };
  const over = new AbortController();
  void loop('retries', share.join(16, 'message', over.signal), 'retry');
  await settle();
  for (; clock.nowMs < 3_000; clock.nowMs += 10) await advance();
  // Alone, the retries may have all of it.
  expect(turns.length).toBeGreaterThan(2_500);
  const before = turns.length;
  void loop('new', share.join(16, 'message', over.signal), 'first');
  for (; clock.nowMs < 6_000; clock.nowMs += 10) await advance();
  const since = turns.slice(before);
  expect(since.length).toBeLessThan(3_000);
  expect(countOf(since, 'new') / since.length).toBeGreaterThan(0.85);
  expect(countOf(since, 'retries')).toBeGreaterThan(200);
  over.abort();
  jest.useRealTimers();
});

test('while a provider is down a canary’s send goes where messages wait, and lets them go', async () => {
  const { share, pace, clock } = paced(100);
  const down = { kind: 'unavailable', reason: 'connection', retryAfterMs: 1_000 } as const;
  for (let i = 0; i < 31; i++) pace.ended(down, 5, i * 100);
  clock.nowMs = 3_100;
  let begun = 0;
  void share.acquire(share.join(16), 'first').then(() => begun++);
  await settle();
  expect(begun).toBe(0);
  expect(await share.acquire(share.join(1, 'test'), 'first')).toBe(true);
  share.release('first', { kind: 'accepted' }, 20);
  await settle();
  expect(begun).toBe(1);
});

test('P12: who gives up waits no longer, and holds no place', async () => {
  const { share, pace } = paced(100);
  pace.ended({ kind: 'throttled', scope: 'project', retryAfterMs: 60_000 }, 5, 0);
  const over = new AbortController();
  const holder = share.join(16, 'message', over.signal);
  const waiting = share.acquire(holder, 'first');
  over.abort();
  expect(await waiting).toBe(false);
  expect(await share.acquire(holder, 'first')).toBe(false);
  expect(share.inFlight).toBe(0);
});

test('a place that was given back unused costs nothing of the quota, and a probe that never went decides nothing', () => {
  const { share, pace } = paced(100);
  expect(pace.mayStart(1_000, 'message')).toBe(true);
  let begun = 0;
  for (; begun < 100_000 && pace.mayStart(1_000, 'message'); begun++) {
    pace.started(1_000);
    if (begun < 50_000) pace.ended(undefined, 0, 1_000);
  }
  expect(begun).toBeGreaterThan(50_000);
  expect(share.inFlight).toBe(0);
});

async function advance(): Promise<void> {
  jest.advanceTimersByTime(10);
  for (let i = 0; i < 12; i++) await settle();
}

test('turns go by weight also when many places become free at once', async () => {
  const share = new FairShare(100);
  const turns: string[] = [];
  const over = new AbortController();
  const loop = async (name: string, holder: ShareHolder) => {
    while (await share.acquire(holder, 'first')) turns.push(name);
  };
  void loop('extreme', share.join(16, 'message', over.signal));
  void loop('unknown', share.join(1, 'message', over.signal));
  await settle();
  for (let batch = 0; batch < 20; batch++) {
    for (let i = 0; i < 100; i++) share.release('first');
    await settle();
  }
  expect(turns).toHaveLength(2_100);
  expect(countOf(turns, 'unknown')).toBeLessThan(2_100 / 17 + 60);
  over.abort();
});

test('while the process is busy first tries go on and all but a few retries wait, until it has caught up', async () => {
  let isBusy = true;
  const share = new FairShare(100, undefined, () => isBusy);
  const holder = share.join(1);
  let [first, retries] = [0, 0];
  for (let i = 0; i < 20; i++) {
    void share.acquire(holder, 'retry').then(() => retries++);
    void share.acquire(holder, 'first').then(() => first++);
  }
  for (let i = 0; i < 50; i++) await settle();
  expect([first, retries]).toEqual([20, 4]);
  isBusy = false;
  share.release('retry');
  for (let i = 0; i < 50; i++) await settle();
  expect(retries).toBe(20);
});
