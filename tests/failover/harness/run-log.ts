import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const Figures = z.object({
  devices: z.number(),
  delivered: z.number(),
  lost: z.number(),
  shownTwice: z.number(),
  outside: z.number(),
  repeats: z.number(),
  p50Ms: z.number().optional(),
  p99Ms: z.number().optional(),
  maxMs: z.number().optional(),
});

const RunRecordSchema = z.object({
  row: z.string(),
  run: z.int(),
  tookMs: z.number(),
  /** Missing when the fault itself could not be played. */
  played: z
    .object({
      alerts: z.array(Figures),
      broken: z.array(z.string()),
      case: z.string().optional(),
      figures: z.record(z.string(), z.number()).optional(),
    })
    .optional(),
  /** Everything that went wrong, in words. */
  problems: z.array(z.string()),
});

/** One run of one row, as it stands in the log that an interrupted matrix is taken up from. */
export type RunRecord = z.infer<typeof RunRecordSchema>;

const Head = z.object({ seed: z.string(), startedAt: z.string() });
export type RunLogHead = z.infer<typeof Head>;

/** Begins a log: one line that says which matrix it is, then one for each run. */
export function beginRunLog(file: string, head: RunLogHead): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(head)}\n`);
}

export function noteRun(file: string, record: RunRecord): void {
  appendFileSync(file, `${JSON.stringify(record)}\n`);
}

/** What an interrupted matrix had played. A last line that was cut short is left out; undefined when there is no log. */
export function readRunLog(file: string): { head: RunLogHead; runs: RunRecord[] } | undefined {
  if (!existsSync(file)) return undefined;
  const [first, ...rest] = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const head = Head.safeParse(jsonOrUndefined(first));
  if (!head.success) return undefined;
  const runs = rest.flatMap((line) => {
    const parsed = RunRecordSchema.safeParse(jsonOrUndefined(line));
    return parsed.success ? [parsed.data] : [];
  });
  return { head: head.data, runs };
}

function jsonOrUndefined(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
