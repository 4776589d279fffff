import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Played } from './play.ts';

/** One line of the log: a breakage that was played, or filled in, or why it could not be played. */
export type LogLine =
  | { readonly name: string; readonly played: Played }
  | { readonly name: string; readonly problem: string };

const Line = z.union([
  z.object({ name: z.string(), played: z.custom<Played>((value) => typeof value === 'object') }),
  z.object({ name: z.string(), problem: z.string() }),
]);
const Head = z.object({ startedAt: z.string(), sideBySide: z.int() });
export type LogHead = z.infer<typeof Head>;

export function beginLog(file: string, head: LogHead): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(head)}\n`);
}

export function note(file: string, line: LogLine): void {
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/**
 * What was played before, the last line of each breakage; undefined when there is no log. A line that was cut short is
 * left out.
 */
export function readLog(file: string): { head: LogHead; lines: LogLine[] } | undefined {
  if (!existsSync(file)) return undefined;
  const [first, ...rest] = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const head = Head.safeParse(parsed(first));
  if (!head.success) return undefined;
  const lines = new Map<string, LogLine>();
  for (const text of rest) {
    const line = Line.safeParse(parsed(text));
    if (line.success) lines.set(line.data.name, line.data);
  }
  return { head: head.data, lines: [...lines.values()] };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
