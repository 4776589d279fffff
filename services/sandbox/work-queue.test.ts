import { expect, test } from '@jest/globals';
import { createWorkQueue } from './work-queue.ts';

test('work is done in order, never more than the concurrency at once, and idle() waits for all', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  const queue = createWorkQueue<number>({
    concurrency: 3,
    limit: 5_000,
    onError: () => undefined,
    work: async (item) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      done.push(item);
    },
  });
  for (let i = 0; i < 3_000; i++) expect(queue.offer(i)).toBe(true);
  await queue.idle();
  expect(done).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
  expect(most).toBeLessThanOrEqual(3);
  expect(queue.size).toBe(0);
});

test('P12: a full queue takes nothing more; an error does not stop the work', async () => {
  const errors: unknown[] = [];
  const done: string[] = [];
  const queue = createWorkQueue<string>({
    concurrency: 1,
    limit: 2,
    onError: (error) => errors.push(error),
    work: async (item) => {
      if (item === 'bad') throw new Error('bad');
      done.push(item);
    },
  });
  expect([queue.offer('bad'), queue.offer('good'), queue.offer('late')]).toEqual([
    true,
    true,
    false,
  ]);
  await queue.idle();
  expect([done, errors.length]).toEqual([['good'], 1]);
  queue.close();
  expect(queue.offer('after')).toBe(false);
});
