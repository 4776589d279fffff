import { describe } from '@jest/globals';

/**
 * `describe` where the machine has what the tests need; elsewhere they are skipped, and the end of the run says why.
 * `missing` is what is not there, undefined when everything is.
 */
export function describeWhere(missing: string | undefined, title: string, body: () => void): void {
  if (missing === undefined) describe(title, body);
  else describe.skip(`${title} [skipped: ${missing}]`, body);
}
