import { z } from 'zod';
import type { Alert } from './alert.ts';

/**
 * Area codes are INSEE's: a commune (`06088` Nice, `2A004` Ajaccio, `97411` Saint-Denis) or a department (`06`, `2A`,
 * `974`). They are strings: `06` is not `6`. One code is ours: the reserved area in which only probes live.
 */
export const CANARY_AREA = 'ZZ999';

const DEPARTMENT = /^(?:0[1-9]|[1-8]\d|9[0-5]|2[AB]|97[1-8]|98[4-8])$/;
const COMMUNE = /^(?:(?:0[1-9]|[1-8]\d|9[0-5]|2[AB])\d{3}|(?:97[1-8]|98[4-8])\d{2})$/;

const two = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i).padStart(2, '0'));

/** Every department that a code can name or begin with. */
export const DEPARTMENTS: readonly string[] = [
  ...[...two(1, 19), '2A', '2B', ...two(21, 95)],
  ...[...two(971, 978), ...two(984, 988)],
];

export type AreaKind = 'commune' | 'department' | 'canary';

/** What a code is, or undefined when it is none of INSEE's shapes nor the reserved area. */
export function areaKind(code: string): AreaKind | undefined {
  if (code === CANARY_AREA) return 'canary';
  if (/^20/.test(code)) return undefined; // Corsica is 2A and 2B since 1976
  if (DEPARTMENT.test(code)) return 'department';
  if (COMMUNE.test(code)) return 'commune';
  return undefined;
}

export const AreaCode = z
  .string()
  .refine(
    (code) => areaKind(code) !== undefined,
    'is not an INSEE commune (06088) or department (06)',
  );

/** The department of a commune or department code; the reserved area is its own. */
export function departmentOf(code: string): string {
  if (code === CANARY_AREA) return CANARY_AREA;
  return /^9[78]/.test(code) ? code.slice(0, 3) : code.slice(0, 2);
}

const ARRONDISSEMENTS: readonly { city: string; from: number; to: number }[] = [
  { city: '75056', from: 75101, to: 75120 },
  { city: '69123', from: 69381, to: 69389 },
  { city: '13055', from: 13201, to: 13216 },
];

/** Paris, Lyon and Marseille have a code of their own and one for each arrondissement. */
function cityFamily(code: string): string[] {
  const city = ARRONDISSEMENTS.find((each) => each.city === code);
  if (city) return Array.from({ length: city.to - city.from + 1 }, (_, i) => String(city.from + i));
  const number = Number(code);
  const parent = ARRONDISSEMENTS.find((each) => number >= each.from && number <= each.to);
  return parent ? [parent.city] : [];
}

/** Whom an alert reaches: subscriptions that hold one of `codes`, or any code of one of `departments`. */
export interface Reach {
  readonly codes: readonly string[];
  readonly departments: readonly string[];
}

/**
 * A department's alert reaches everybody in its communes; a commune's reaches those who chose the commune, its
 * department as a whole, or (Paris, Lyon, Marseille) the city of an arrondissement and the other way round.
 */
export function reachOf(areaCodes: readonly string[]): Reach {
  const codes = new Set<string>();
  const departments = new Set<string>();
  for (const code of areaCodes) {
    if (areaKind(code) === 'department') departments.add(code);
    else for (const reached of [code, departmentOf(code), ...cityFamily(code)]) codes.add(reached);
  }
  return { codes: [...codes].sort(), departments: [...departments].sort() };
}

/** No official CAP name for INSEE's codes exists; the year of the code list may follow. */
const INSEE_GEOCODE = /^INSEE:(COM|DEP)(?::\d{4})?$/;
export const CANARY_GEOCODE = 'TEST:ZONE';

export interface AreaProblem {
  /** Path within the alert, such as `info[0].area[1].geocode[0]`. */
  readonly field: string;
  readonly message: string;
}

/** As much of an area as has the right shape: parts of a wrong type are absent, and keep their place in the list. */
type PartialGeocode = { valueName?: string | undefined; value?: string | undefined };
type PartialArea = { geocode?: readonly (PartialGeocode | undefined)[] | undefined };

/**
 * The area codes of one `info`, sorted and without repeats. Only codes count: an area that has a description and no
 * code means nothing to a machine and is a problem, not an empty audience (P7: there is no default area).
 */
export function areaCodesOf(
  areas: readonly (PartialArea | undefined)[],
  at: string,
): { codes: string[]; problems: AreaProblem[] } {
  const codes = new Set<string>();
  const problems: AreaProblem[] = [];
  areas.forEach((area, i) => {
    if (area === undefined) return;
    const geocodes = area.geocode ?? [];
    if (geocodes.length === 0) {
      problems.push({
        field: `${at}.area[${i}].geocode`,
        message: 'an area needs a geocode: {"valueName":"INSEE:COM","value":"06088"} or INSEE:DEP',
      });
    }
    geocodes.forEach((geocode, j) => {
      if (geocode?.valueName === undefined || geocode.value === undefined) return;
      const { valueName, value } = geocode;
      const field = `${at}.area[${i}].geocode[${j}]`;
      const kind = areaKind(value);
      const named = INSEE_GEOCODE.exec(valueName)?.[1];
      const wanted = named === 'COM' ? 'commune' : named === 'DEP' ? 'department' : undefined;
      if (valueName === CANARY_GEOCODE && kind === 'canary') codes.add(value);
      else if (wanted === undefined)
        problems.push({ field, message: `valueName "${valueName}" is not INSEE:COM or INSEE:DEP` });
      else if (kind !== wanted)
        problems.push({ field, message: `"${value}" is not the INSEE code of a ${wanted}` });
      else codes.add(value);
    });
  });
  return { codes: [...codes].sort(), problems };
}

/** The area codes of a checked alert: the same in every `info` (the rules see to it), so the first one's. */
export function alertAreaCodes(alert: Alert): string[] {
  const first = alert.info[0];
  return first ? areaCodesOf(first.area, 'info[0]').codes : [];
}

/** True when every code lies within a territory given as department and commune codes. */
export function withinTerritory(codes: readonly string[], territory: readonly string[]): boolean {
  return codes.every((code) => territory.includes(code) || territory.includes(departmentOf(code)));
}
