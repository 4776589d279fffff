import { spawn } from 'node:child_process';

const LIMIT_MS = 180_000;
const MAX_SAID = 300;

/**
 * Runs a command of the operator's, without a shell: what stands in it is taken as it is. Resolves to what went wrong, or
 * undefined when it ended with 0 in time.
 */
export async function runCommand(
  [file, ...args]: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (file === undefined) return 'restartCommand is empty';
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
  });
  let said = '';
  child.stderr.on('data', (data) => {
    said = `${said}${String(data)}`.slice(-MAX_SAID);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`${file}: ${error.message}`));
    child.once('close', (code, ended) => {
      const how = code === null ? `was ended by ${ended}` : `ended with ${code}`;
      resolve(code === 0 ? undefined : `${file} ${how}: ${said.trim()}`);
    });
  });
}
