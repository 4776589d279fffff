import { expect, test } from '@jest/globals';
import { Absence } from './absence.ts';

/** A node that has started, has asked, and has one peer and one bus. */
function settled(): Absence {
  const absence = new Absence(['b', 'bus a'], 0);
  absence.asked(absence.started(), 'answered', 0);
  return absence;
}

test('P3: a node that starts holds its sends back until it has asked', () => {
  const absence = new Absence(['b'], 0);
  const round = absence.started();
  expect(absence.mayHaveMissed).toBe(true);
  absence.asked(round, 'answered', 10);
  expect(absence.mayHaveMissed).toBe(false);
});

test.each([
  [200, false],
  [2_000, false],
  [2_001, true],
  [9_000, true],
])('P3: a process that stood still for %i ms asks first: %s', (gapMs, asks) => {
  const absence = settled();
  expect(absence.stoodStill(gapMs, gapMs) !== undefined).toBe(asks);
  expect(absence.mayHaveMissed).toBe(asks);
});

test('P3: whoever comes back after five seconds is asked; one who speaks often is not', () => {
  const absence = settled();
  expect(absence.heard('b', 5_000)).toBeUndefined();
  expect(absence.heard('b', 9_000)).toBeUndefined();
  expect(absence.heard('bus a', 9_000)).toBeDefined();
  expect(absence.mayHaveMissed).toBe(true);
});

test('a freeze is no silence of the others: they are not asked again for that', () => {
  const absence = settled();
  absence.asked(absence.stoodStill(9_000, 9_000) ?? -1, 'answered', 9_010);
  expect(absence.heard('b', 9_020)).toBeUndefined();
});

test('P3: a node that was cut off from everybody asks before its second send when the first came through again', () => {
  const absence = settled();
  expect(absence.sendEnded(false, 3_000)).toBeUndefined();
  expect(absence.sendEnded(true, 3_100)).toBeUndefined();
  expect(absence.sendEnded(false, 6_000)).toBeUndefined();
  expect(absence.sendEnded(true, 7_000)).toBeDefined();
  expect(absence.mayHaveMissed).toBe(true);
});

test('sends that fail while a peer is heard of are the provider’s matter', () => {
  const absence = settled();
  absence.heard('b', 4_000);
  absence.sendEnded(false, 6_000);
  expect(absence.sendEnded(true, 7_000)).toBeUndefined();
});

test('only the answers to the latest question end the wait', () => {
  const absence = settled();
  const first = absence.stoodStill(3_000, 3_000) ?? -1;
  const second = absence.stoodStill(3_000, 6_100) ?? -1;
  absence.asked(first, 'answered', 6_200);
  expect(absence.mayHaveMissed).toBe(true);
  absence.asked(second, 'answered', 6_300);
  expect(absence.mayHaveMissed).toBe(false);
});

test('P2: where nobody answers, a machine that stands still again and again sends in between', () => {
  const absence = settled();
  absence.asked(absence.stoodStill(3_000, 3_000) ?? -1, 'time-over', 5_000);
  expect(absence.stoodStill(3_000, 8_000)).toBeUndefined();
  expect(absence.mayHaveMissed).toBe(false);
  expect(absence.stoodStill(3_000, 11_000)).toBeDefined();
});
