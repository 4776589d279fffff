import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CANARY_AREA } from './area.ts';
import { audienceOfStatus, audienceProblems } from './audience.ts';
import { SCOPES, STATUSES } from './cap-values.ts';

test.each([
  ['Actual', 'public'],
  ['Exercise', 'public'],
  ['Test', 'canary'],
  ['System', undefined],
  ['Draft', undefined],
] as const)('%s is for %s', (status, audience) => {
  expect(audienceOfStatus(status)).toBe(audience);
});

test('P6: reserved area, Test, Private and addresses go together, all or none, in every combination', () => {
  const facts = fc.record({
    status: fc.constantFrom(...STATUSES),
    scope: fc.constantFrom(...SCOPES),
    addresses: fc.constantFrom(undefined, '', 'probes'),
    codes: fc.array(fc.constantFrom(CANARY_AREA, '06088', '75'), { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(facts, ({ status, scope, addresses, codes }) => {
      const forPeople =
        (status === 'Actual' || status === 'Exercise') &&
        scope === 'Public' &&
        !addresses &&
        !codes.includes(CANARY_AREA);
      const forProbes =
        status === 'Test' &&
        scope === 'Private' &&
        addresses === 'probes' &&
        codes.every((code) => code === CANARY_AREA);
      const problems = audienceProblems({ status, scope, addresses }, codes);
      expect(problems.length === 0).toBe(forPeople || forProbes);
    }),
    { numRuns: 2000 },
  );
});
