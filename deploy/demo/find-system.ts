import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from '../local/options.ts';
import { isSameProcess } from '../local/process-identity.ts';
import { readRunFile } from '../local/run-file.ts';
import { startSystem } from '../local/start-system.ts';

/** The running system, by its addresses and files. */
export interface RunningSystem {
  readonly urls: Readonly<Record<string, string>>;
  readonly stateDir: string;
  /** Sites by name, such as a and b. */
  readonly sites: readonly string[];
  readonly internalToken: string;
  /** Stops it, if it was started for the demonstration. */
  readonly close: () => Promise<void>;
}

/** The system of `make run`, if one runs in this state folder; else one is started and stopped again afterwards. */
export async function findSystem(
  say: (line: string) => void,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<RunningSystem> {
  const options = readOptions(env);
  const runFile = readRunFile(join(options.stateDir, 'run.json'));
  const running = runFile !== undefined && isSameProcess(runFile.launcher);
  const system = running
    ? { urls: runFile.urls, close: async () => undefined }
    : await startSystem({ ...options, say });
  if (running) say(`using the system that runs in ${options.stateDir}`);
  return {
    urls: system.urls,
    stateDir: options.stateDir,
    sites: Object.keys(system.urls)
      .filter((name) => name.startsWith('dispatcher-'))
      .map((name) => name.slice('dispatcher-'.length)),
    internalToken: readFileSync(join(options.stateDir, 'secrets/internal-token'), 'utf8').trim(),
    close: async () => {
      await system.close();
    },
  };
}

/** The address of a part by its name. */
export function urlOf(system: RunningSystem, name: string): string {
  const url = system.urls[name];
  if (url === undefined) throw new Error(`the system has no ${name}`);
  return url;
}
