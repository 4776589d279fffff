import { afterEach, expect, test } from '@jest/globals';
import { type StartedAskFirst, startAskFirst } from './ask-first.ts';

const accepted = { kind: 'accepted' } as const;
let started: StartedAskFirst | undefined;
afterEach(() => started?.close());

function start(): StartedAskFirst & { ends: string[] } {
  const ends: string[] = [];
  const askFirst = startAskFirst({
    peers: ['b'],
    buses: [],
    onAsked: (_heldMs, how) => ends.push(how),
  });
  started = askFirst;
  return { ...askFirst, ends };
}

const known = (askFirst: StartedAskFirst) =>
  new Promise<void>((resolve) => askFirst.whenKnown(resolve));

test('P3: sends are held back until everybody who was asked has answered', async () => {
  const askFirst = start();
  expect(askFirst.mayHaveMissed()).toBe(true);
  let answer: () => void = () => undefined;
  askFirst.begin(() => [Promise.resolve(), new Promise<void>((resolve) => (answer = resolve))]);
  await Promise.resolve();
  expect(askFirst.mayHaveMissed()).toBe(true);
  answer();
  await known(askFirst);
  expect(askFirst.mayHaveMissed()).toBe(false);
  expect(askFirst.ends).toEqual(['answered']);
});

test('P2: where somebody never answers, sends go on after two seconds', async () => {
  const askFirst = start();
  const sinceMs = performance.now();
  askFirst.begin(() => [new Promise<void>(() => undefined)]);
  await known(askFirst);
  const heldMs = performance.now() - sinceMs;
  expect(heldMs).toBeGreaterThan(1_900);
  expect(heldMs).toBeLessThan(4_000);
  expect(askFirst.ends).toEqual(['time-over']);
});

test('P3: a process that stood still knows it at the next send, before any timer of its own', async () => {
  const askFirst = start();
  let asked = 0;
  askFirst.begin(() => {
    asked++;
    return [Promise.resolve()];
  });
  await known(askFirst);
  askFirst.sendEnded(accepted);
  expect(askFirst.mayHaveMissed()).toBe(false);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_300);
  expect(askFirst.mayHaveMissed()).toBe(true);
  expect(asked).toBe(2);
  await known(askFirst);
  expect(askFirst.mayHaveMissed()).toBe(false);
});
