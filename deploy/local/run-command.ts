import { execFile } from 'node:child_process';

/** A program did not do what we asked; the message ends with the last lines that it wrote. */
class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Runs a program without a shell and returns what it wrote (stdout, then stderr). Rejects with CommandError. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings = {
      timeout: options.timeoutMs,
      maxBuffer: MAX_OUTPUT_BYTES,
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    };
    execFile(file, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else
        reject(
          new CommandError(
            `${file} ${args[0] ?? ''}: ${reasonOf(error, options.timeoutMs, stdout, stderr)}`,
            { cause: error },
          ),
        );
    });
  });
}

function reasonOf(
  error: { code?: unknown; killed?: boolean },
  timeoutMs: number,
  stdout: string,
  stderr: string,
): string {
  if (error.code === 'ENOENT') return 'is not on this machine';
  if (error.code === 'EACCES') return 'may not be run';
  const lines = `${stdout}\n${stderr}`.trim().split('\n').slice(-4).join(' | ').slice(-600);
  return error.killed === true
    ? `took more than ${timeoutMs / 1000} s; ${lines}`
    : lines || `failed (${String(error.code)})`;
}
