/** What a script can tell from the exit code. */
export const EXIT = { ok: 0, refused: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command: the lines are for the person, the code for a script. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];

  constructor(exitCode: ExitCode, lines: readonly string[], cause?: unknown) {
    super(lines[0] ?? 'failed', { cause });
    this.exitCode = exitCode;
    this.lines = lines;
  }
}
