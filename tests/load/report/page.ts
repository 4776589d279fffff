import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Circumstances, machine } from './bench-report.ts';
import type { Must, Section } from './section.ts';
import { markdownTable } from './tables.ts';

const DOCS = resolve(import.meta.dirname, '../../../docs');
const PAGE = join(DOCS, 'benchmarks.md');

/** The promises with what was measured, as a table. */
export function mustTable(musts: readonly Must[]): string {
  const word = (reached: boolean | null) =>
    reached === null ? 'not measured' : reached ? 'reached' : '**not reached**';
  return markdownTable(
    ['must', 'needed', 'measured', ''],
    musts.map(({ what, needed, figure, reached }) => [what, needed, figure ?? '–', word(reached)]),
  );
}

/** Writes a section's pictures, and its text into its place on the page. */
export function writeSection(name: string, section: Section, how: Circumstances): void {
  for (const { file, svg } of section.plots) writeFileSync(join(DOCS, 'pictures', file), svg);
  const { cpu, cores, node, loadOneMinute } = machine();
  const pictures = section.plots.map(({ file, alt }) => `![${alt}](pictures/${file})`);
  const foot = `_${new Date().toISOString().slice(0, 10)}, ${how.tookSeconds} s on ${cores} × ${cpu}, Node ${node}, load ${loadOneMinute.toFixed(1)} at the end_`;
  replaceBlock(name, [section.text, ...pictures, foot].join('\n\n'));
}

/** Writes all promises, of this run and of earlier ones, into their place on the page. */
export function writeMusts(musts: readonly Must[]): void {
  replaceBlock('must', mustTable(musts));
}

function replaceBlock(name: string, content: string): void {
  writeFileSync(PAGE, withBlock(readFileSync(PAGE, 'utf8'), name, content));
}

/** The page with another content between the two marks of a block. Throws when it has no such block. */
export function withBlock(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for ${name}`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}
