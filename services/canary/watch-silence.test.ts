import { expect, test } from '@jest/globals';
import { silenceRemedy } from './watch-silence.ts';

test.each([
  ['a probe that heard something a period ago', 60, 1_000, 'none'],
  ['silence of more than one and a half periods', 91, 1_000, 'register'],
  ['silence of more than three periods', 181, 1_000, 'renew'],
  ['silence that was looked after less than a period ago', 500, 59, 'none'],
] as const)('%s', (_what, silenceSeconds, sinceRemedySeconds, remedy) => {
  expect(silenceRemedy(silenceSeconds * 1000, sinceRemedySeconds * 1000, 60_000)).toBe(remedy);
});
