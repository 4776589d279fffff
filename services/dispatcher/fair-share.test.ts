import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FairShare, type LaneOfWork, type ShareHolder } from './fair-share.ts';

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
          await Promise.resolve();
          await Promise.resolve();
          expect(share.inFlight).toBeLessThanOrEqual(capacity);
          // Whoever can have a place has it.
          expect(share.inFlight).toBe(Math.min(capacity, asked - (got - held.length)));
        }
        while (held.length > 0) {
          give();
          await Promise.resolve();
          await Promise.resolve();
        }
        expect(got).toBe(asked);
        expect(share.inFlight).toBe(0);
      },
    ),
  );
});
