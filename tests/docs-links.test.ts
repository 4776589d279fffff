import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');

/** Every page of the repository that people read. */
const PAGES = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)));

/** A path from the root in backquotes or after a command, such as `services/edge/page.ts`; patterns with <…>, * or {…} are none. */
const NAMED_PATH =
  /(?<![\w./<-])(?:services|shared|deploy|tests|docs)\/[\w./-]*[\w-](?:\.(?:test\.)?(?:ts|md|json|yaml|js))?\b(?![<*{\w/-])/g;

function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

function withoutLinks(text: string): string {
  return text.replaceAll(/\]\([^)\s]+\)/g, ']');
}

test('every relative link in a page leads to something that exists', () => {
  expect(PAGES).toContain('README.md');
  const broken = PAGES.flatMap((page) =>
    linksOf(readFileSync(join(ROOT, page), 'utf8'))
      .filter((target) => !existsSync(join(ROOT, normalize(join(dirname(page), target)))))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test('every path that a page names exists', () => {
  const missing = PAGES.flatMap((page) =>
    (withoutLinks(readFileSync(join(ROOT, page), 'utf8')).match(NAMED_PATH) ?? [])
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${page}: ${path}`),
  );
  expect(missing).toEqual([]);
});
