import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Section } from './section.ts';

const FOLDER = resolve(import.meta.dirname, '../../../reports');
const FILE = join(FOLDER, 'bench.json');

const Must = z.object({
  what: z.string(),
  needed: z.string(),
  figure: z.string().nullable(),
  reached: z.boolean().nullable(),
});
const Kept = z.looseObject({ title: z.string(), musts: z.array(Must) });
const Report = z.object({ v: z.literal(2), sections: z.record(z.string(), Kept) });
export type Report = z.infer<typeof Report>;

export interface Circumstances {
  readonly tookSeconds: number;
  /** Whether it was made with all messages and rounds. */
  readonly isWhole: boolean;
}

/** What the machine is, and whether others were working on it. */
export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    /** Processes that wanted a core at the end, ours among them. */
    loadOneMinute: loadavg()[0] ?? 0,
  };
}

/** The sections of earlier runs; none when the file is of another time. */
export function readReport(): Report {
  const nothing: Report = { v: 2, sections: {} };
  if (!existsSync(FILE)) return nothing;
  return Report.safeParse(JSON.parse(readFileSync(FILE, 'utf8'))).data ?? nothing;
}

/** Puts a section in the place of its last run's; the others stay. Resolves to all of them. */
export function keepSection(name: string, section: Section, how: Circumstances): Report {
  const { title, figures, musts } = section;
  const before = readReport();
  const sections = {
    ...before.sections,
    [name]: {
      at: new Date().toISOString(),
      ...how,
      machine: machine(),
      title,
      musts: [...musts],
      figures,
    },
  };
  const report: Report = { ...before, sections };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(report, null, 1)}\n`);
  return report;
}
