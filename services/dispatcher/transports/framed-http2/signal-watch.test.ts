import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { SignalWatch, type WatchedSignal } from './signal-watch.ts';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('a thousand requests on one signal are one listener, and one call when it is aborted', () => {
  const aborted: WatchedSignal[] = [];
  const watch = new SignalWatch((watched) => aborted.push(watched));
  const controller = new AbortController();
  const watched = Array.from({ length: 1_000 }, () => watch.acquire(controller.signal));
  expect(listeners(controller.signal)).toBe(1);
  expect(new Set(watched).size).toBe(1);
  controller.abort();
  expect(aborted).toHaveLength(1);
  expect(watch.count).toBe(0);
  expect(watch.acquire(controller.signal)).toBeUndefined();
});

test('signals that no request needs any more lose their listeners; those in use keep them', () => {
  const watch = new SignalWatch(() => undefined);
  const used = new AbortController();
  watch.acquire(used.signal);
  const old = Array.from({ length: 100 }, () => new AbortController());
  for (const { signal } of old) {
    const watched = watch.acquire(signal);
    if (watched !== undefined) watch.release(watched);
  }
  expect(watch.count).toBeLessThan(20);
  watch.forgetUnused();
  expect(watch.count).toBe(1);
  expect(old.filter(({ signal }) => listeners(signal) > 0)).toEqual([]);
  expect(listeners(used.signal)).toBe(1);
});

test('a signal that was aborted before is refused, without a listener', () => {
  const watch = new SignalWatch(() => undefined);
  expect(watch.acquire(AbortSignal.abort())).toBeUndefined();
  expect(watch.count).toBe(0);
});
