import { afterEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { type EventLoopWatch, watchEventLoop } from './event-loop.ts';
import { until } from './transports/test-support/until.ts';

let watch: EventLoopWatch | undefined;
let hog: NodeJS.Timeout | undefined;
afterEach(() => {
  clearInterval(hog);
  watch?.close();
});

/** Keeps the process busy for so long. */
function block(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test('a loop that falls behind is seen while it does, and no longer when it has caught up', async () => {
  watch = watchEventLoop(new Registry());
  const { isDelayed } = watch;
  expect(isDelayed()).toBe(false);
  hog = setInterval(() => block(400), 1);
  await until('delayed', isDelayed);
  clearInterval(hog);
  await until('on time again', () => !isDelayed());
});
