import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DemoError } from './demo-error.ts';
import type { RunningSystem } from './find-system.ts';

const CLI = join(import.meta.dirname, '../../services/cli/main.ts');

/** Runs `tocsin …` as a person would and returns what it printed. Rejects with DemoError when it failed. */
export async function runCli(system: RunningSystem, args: readonly string[]): Promise<string> {
  const config = join(system.stateDir, 'cli.json');
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [CLI, '--config', config, ...args],
      {
        timeout: 120_000,
        env: { ...process.env, LANG: 'en' },
      },
    );
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new DemoError(`tocsin ${args[0]} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
