import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OpenCalls } from './open-calls.ts';

const never = new AbortController().signal;
let calls: OpenCalls<string>;
let ended: string[];

beforeEach(() => {
  jest.useFakeTimers();
  calls = new OpenCalls({ deadlineMs: 1_000, onDeadline: 'late', onAbort: 'aborted' });
  ended = [];
});
afterEach(() => {
  jest.useRealTimers();
});

const begin = (name: string, signal = never) =>
  calls.begin(signal, (result) => ended.push(`${name} ${result}`));

test('the first result counts, and what was held is let go of before it is handed out', () => {
  const call = begin('a');
  call.onEnd = (result) => ended.push(`let go: ${result}`);
  call.settle('done');
  call.settle('again');
  expect(ended).toEqual(['let go: done', 'a done']);
  expect(calls.size).toBe(0);
});

test('each has its own deadline, with one timer for all', () => {
  begin('a');
  jest.advanceTimersByTime(400);
  begin('b');
  const gone = begin('c');
  gone.settle('done');
  // Lets go of the clock's reading.
  jest.advanceTimersByTime(0);
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(600);
  expect(ended).toEqual(['c done', 'a late']);
  jest.advanceTimersByTime(399);
  expect(ended).toHaveLength(2);
  jest.advanceTimersByTime(2);
  expect(ended.at(-1)).toBe('b late');
  expect(jest.getTimerCount()).toBe(0);
});

test('an abort ends all that hang on its signal and nothing else, with one listener', () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const listen = jest.spyOn(first.signal, 'addEventListener');
  for (const name of ['a', 'b', 'c']) begin(name, first.signal);
  begin('d', second.signal);
  expect(listen).toHaveBeenCalledTimes(1);
  first.abort();
  expect(ended).toEqual(['a aborted', 'b aborted', 'c aborted']);
  expect(calls.size).toBe(1);
});

test('what ends may begin another one: none is lost or ended twice', () => {
  const controller = new AbortController();
  calls.begin(controller.signal, () => begin('after'));
  begin('beside', controller.signal);
  controller.abort();
  expect(ended).toEqual(['beside aborted']);
  calls.settleAll('over');
  expect(ended).toEqual(['beside aborted', 'after over']);
  jest.advanceTimersByTime(0);
  expect(jest.getTimerCount()).toBe(0);
});

test('what begins when another one is late does not put off the deadlines of those before it', () => {
  calls.begin(never, () => begin('after'));
  jest.advanceTimersByTime(10);
  begin('beside');
  jest.advanceTimersByTime(1_001);
  expect(ended).toEqual(['beside late']);
  jest.advanceTimersByTime(1_000);
  expect(ended).toEqual(['beside late', 'after late']);
  expect(jest.getTimerCount()).toBe(0);
});
