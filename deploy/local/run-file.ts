import { existsSync, readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { endProcess, isSameProcess } from './process-identity.ts';
import { jsonText, writePrivateFile } from './state-file.ts';

const Identity = z.object({ pid: z.int().positive(), startedAt: z.string().optional() });

/** `run.json`: what runs now. The demonstration and the command line read it; the next start finds orphans by it. */
export const RunFile = z.object({
  v: z.literal(1),
  launcher: Identity,
  portBase: z.int(),
  control: z.string(),
  urls: z.record(z.string(), z.string()),
  processes: z.array(
    Identity.extend({
      name: z.string(),
      kind: z.string(),
      site: z.string().optional(),
      url: z.string().optional(),
    }),
  ),
});
export type RunFile = z.infer<typeof RunFile>;

/** Another launcher works in this state folder. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

export function writeRunFile(path: string, content: RunFile): void {
  writePrivateFile(path, jsonText(content));
}

export function removeRunFile(path: string): void {
  rmSync(path, { force: true });
}

/** The last run's file; undefined when there is none, or none that we understand. */
export function readRunFile(path: string): RunFile | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return RunFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Makes the state folder ours: ends what a launcher that died left behind. Rejects with AlreadyRunningError when the
 * other launcher is alive.
 */
export async function takeOver(path: string, say: (line: string) => void): Promise<void> {
  const last = readRunFile(path);
  if (last === undefined) return;
  if (isSameProcess(last.launcher) && last.launcher.pid !== process.pid) {
    throw new AlreadyRunningError(
      `already running: process ${last.launcher.pid} uses this state folder (${path}).\n` +
        `What to do: stop it (Ctrl-C there, or: kill ${last.launcher.pid}), or run a second system with ` +
        'make run STATE_DIR=… PORT_BASE=…',
    );
  }
  const orphans = last.processes.filter(isSameProcess);
  for (const { name, pid } of orphans)
    say(`ending ${name} (process ${pid}), left over from a run that was killed`);
  await Promise.all(orphans.map((orphan) => endProcess(orphan, 5_000)));
  removeRunFile(path);
}
