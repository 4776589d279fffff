import { CANARY_AREA, departmentOf, type Reach } from '../../../shared/alert/area.ts';

/**
 * Names of FCM topics: `tocsin.public.<how>-<INSEE code>.<language>`, of FCM's characters [a-zA-Z0-9-_.~%].
 *
 * - `at-<code>`: who chose this commune, or this department as a whole.
 * - `in-<department>`: who chose the department or any place in it.
 *
 * They are what `Reach` is made of, so an alert reaches by topics whom it reaches by address, and nobody else. There is
 * none for probes and none for the reserved area: a test has no topic that it could go to (P6).
 */
const PREFIX = 'tocsin.public';

function at(code: string, language: string): string {
  return `${PREFIX}.at-${code}.${language}`;
}

function inDepartment(department: string, language: string): string {
  return `${PREFIX}.in-${department}.${language}`;
}

/** The one of `languages` (without regions) that stands for a device's; the first one when none does. */
export function topicLanguage(language: string, languages: readonly string[]): string {
  const tongue = language.split('-')[0] ?? '';
  return languages.includes(tongue) ? tongue : (languages[0] ?? tongue);
}

/** The topics that a subscription belongs in, sorted. */
export function topicsOfAreas(areaCodes: readonly string[], language: string): string[] {
  const topics = areaCodes
    .filter((code) => code !== CANARY_AREA)
    .flatMap((code) => [at(code, language), inDepartment(departmentOf(code), language)]);
  return [...new Set(topics)].sort();
}

/** A topic of an alert, and the language to speak in it. */
export interface TopicOfAlert {
  readonly topic: string;
  readonly language: string;
}

/** The topics that reach exactly whom an alert is for. A place in a department that is reached as a whole needs none. */
export function topicsOfReach(reach: Reach, languages: readonly string[]): TopicOfAlert[] {
  const codes = reach.codes.filter(
    (code) => code !== CANARY_AREA && !reach.departments.includes(departmentOf(code)),
  );
  return languages.flatMap((language) => [
    ...reach.departments.map((department) => ({
      topic: inDepartment(department, language),
      language,
    })),
    ...codes.map((code) => ({ topic: at(code, language), language })),
  ]);
}
