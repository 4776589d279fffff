import { expect, test } from '@jest/globals';
import { silenceRemedy } from './watch-silence.ts';

test.each([
  ['a probe that heard something a period ago is left alone', 60, 0, 1_000, 'none'],
  ['after one and a half periods edge is told again', 91, 0, 1_000, 'register'],
  ['that gets three periods to help', 270, 1, 179, 'none'],
  ['if it did not, the provider is asked for a new address', 271, 1, 181, 'renew'],
  ['after that, not each minute', 500, 2, 229, 'none'],
  ['P12: but every ten periods', 900, 2, 601, 'renew'],
  ['P12: however often', 90_000, 150, 599, 'none'],
] as const)('%s', (_what, silenceSeconds, remedies, sinceSeconds, remedy) => {
  const before = { remedies, sinceRemedyMs: sinceSeconds * 1000 };
  expect(silenceRemedy(silenceSeconds * 1000, before, 60_000)).toBe(remedy);
});
