import { expect, test } from '@jest/globals';
import { createEnrolmentCodes } from './enrolment-codes.ts';

function setUp() {
  const clock = { now: 0 };
  return { clock, codes: createEnrolmentCodes(() => clock.now) };
}

test('a code is good once, however it is typed', () => {
  const { codes } = setUp();
  const { code } = codes.make();
  expect(code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/);
  expect(codes.use(code.toLowerCase().replace('-', ' '))).toBe('good');
  expect(codes.use(code)).toBe('wrong');
});

test('a code is good for ten minutes', () => {
  const { codes, clock } = setUp();
  const { code, expiresMs } = codes.make();
  expect(expiresMs).toBe(600_000);
  clock.now = 600_000;
  expect(codes.use(code)).toBe('wrong');
});

test('P12: five codes are open at most; the sixth takes the place of the first', () => {
  const { codes } = setUp();
  const made = Array.from({ length: 6 }, () => codes.make().code);
  expect(made.map((code) => codes.use(code))).toEqual([
    'wrong',
    ...Array.from({ length: 5 }, () => 'good'),
  ]);
});

test('after ten wrong ones in a minute none is looked at, not even a good one', () => {
  const { codes, clock } = setUp();
  const { code } = codes.make();
  for (let i = 0; i < 10; i++) expect(codes.use('AAAA-AAAA')).toBe('wrong');
  expect(codes.use(code)).toBe('too-many');
  clock.now = 60_000;
  expect(codes.use(code)).toBe('good');
});
