import { expect, test } from '@jest/globals';
import { createGenuineMessages } from './genuine-messages.ts';

test('trials are made of the newest message, and of one whose life is over; nothing of them is guessed', () => {
  let now = 0;
  const genuine = createGenuineMessages(() => now);
  expect([genuine.fresh(), genuine.expired()]).toEqual([undefined, undefined]);
  genuine.add({ jws: 'first', expiresMs: 90_000 });
  expect([genuine.fresh(), genuine.expired()]).toEqual(['first', undefined]);
  now = 60_000;
  genuine.add({ jws: 'second', expiresMs: 150_000 });
  expect([genuine.fresh(), genuine.expired()]).toEqual(['second', undefined]);
  now = 91_000;
  expect([genuine.fresh(), genuine.expired()]).toEqual(['second', 'first']);
  // Too little life is left for a trial that takes seconds.
  now = 131_000;
  expect([genuine.fresh(), genuine.expired()]).toEqual([undefined, 'first']);
  now = 160_000;
  genuine.add({ jws: 'late', expiresMs: 159_000 });
  expect([genuine.fresh(), genuine.expired()]).toEqual([undefined, 'first']);
  genuine.add({ jws: 'third', expiresMs: 250_000 });
  expect([genuine.fresh(), genuine.expired()]).toEqual(['third', 'first']);
});
