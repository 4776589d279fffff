import { expect, test } from '@jest/globals';
import { sampleAlert, sampleInfo } from '../../tests/support/sample-alert.ts';
import {
  alertAreaCodes,
  areaCodesOf,
  areaKind,
  departmentOf,
  reachOf,
  withinTerritory,
} from './area.ts';

test.each([
  ['06088', 'commune', '06'],
  ['06', 'department', '06'],
  ['01001', 'commune', '01'],
  ['2A004', 'commune', '2A'],
  ['2B', 'department', '2B'],
  ['974', 'department', '974'],
  ['97411', 'commune', '974'],
  ['98735', 'commune', '987'],
  ['75056', 'commune', '75'],
  ['75116', 'commune', '75'],
  ['95', 'department', '95'],
  ['ZZ999', 'canary', 'ZZ999'],
] as const)('%s is a %s in %s', (code, kind, department) => {
  expect(areaKind(code)).toBe(kind);
  expect(departmentOf(code)).toBe(department);
});

test.each([
  [''],
  ['6'],
  ['6088'],
  ['060880'],
  ['00'],
  ['00001'],
  ['20'],
  ['20004'],
  ['2C'],
  ['2a004'],
  ['96'],
  ['96001'],
  ['97'],
  ['99'],
  ['ZZ'],
  ['zz999'],
  [' 06'],
  ['06\n'],
  ['０６'],
])('%j is no area', (code) => {
  expect(areaKind(code)).toBeUndefined();
});

test.each([
  ['a commune reaches itself and who chose its department', ['06088'], ['06', '06088'], []],
  ['a department reaches everybody in it', ['06'], [], ['06']],
  ['a department overseas', ['974'], [], ['974']],
  ['a commune overseas', ['97411'], ['974', '97411'], []],
  ['an arrondissement reaches who chose the city', ['13201'], ['13', '13055', '13201'], []],
  ['the reserved area reaches itself alone', ['ZZ999'], ['ZZ999'], []],
])('%s', (_what, given, codes, departments) => {
  expect(reachOf(given)).toEqual({ codes, departments });
});

test.each([
  ['75056', 20],
  ['69123', 9],
  ['13055', 16],
])('the city %s reaches all its %i arrondissements', (city, count) => {
  expect(reachOf([city]).codes).toHaveLength(count + 2);
});

test('a territory holds its departments’ communes and the communes it names, and nothing beside them', () => {
  expect(withinTerritory(['06088', '06'], ['06'])).toBe(true);
  expect(withinTerritory(['06088', '83061'], ['06', '83061'])).toBe(true);
  expect(withinTerritory(['06088', '83061'], ['06'])).toBe(false);
  expect(withinTerritory(['06'], ['06088'])).toBe(false);
  expect(withinTerritory(['97411'], ['97'])).toBe(false);
});

test('the codes of an alert are sorted and without repeats, whatever the areas they stand in', () => {
  const geocode = (value: string) => ({ valueName: 'INSEE:COM:2026', value });
  const area = [
    { areaDesc: 'x', geocode: [geocode('06088'), geocode('06004')] },
    { areaDesc: 'y', geocode: [geocode('06088')] },
  ];
  expect(alertAreaCodes(sampleAlert({ info: [sampleInfo({ area })] }))).toEqual(['06004', '06088']);
});

test('parts of a wrong type keep their place in the list, so that a problem names the right field', () => {
  const { problems } = areaCodesOf(
    [undefined, { geocode: [undefined, { valueName: 'x', value: '06088' }] }],
    'info[0]',
  );
  expect(problems.map(({ field }) => field)).toEqual(['info[0].area[1].geocode[1]']);
});
