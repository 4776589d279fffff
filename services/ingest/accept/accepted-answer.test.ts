import { expect, test } from '@jest/globals';
import { warningFor } from './accepted-answer.ts';

const audience = (total: number) => ({ total, counts: {} });

test('an answer warns of nothing when two sites hold the alert and somebody is there', () => {
  expect(warningFor('two-sites', audience(3))).toBeUndefined();
  expect(warningFor('two-sites', null)).toBeUndefined();
});

test('P1: with one site left the answer says so in French and English', () => {
  expect(warningFor('one-site', audience(3))?.fr).toContain('un seul site');
  expect(warningFor('one-site', null)?.en).toContain('only one site');
});

test('P7: an area in which nobody is registered is said, beside the other warning', () => {
  expect(warningFor('two-sites', audience(0))?.fr).toContain('Aucun appareil');
  const both = warningFor('one-site', audience(0))?.en;
  expect(both).toContain('only one site');
  expect(both).toContain('No device');
});
