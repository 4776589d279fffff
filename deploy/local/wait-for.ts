import { sleep } from '../../shared/time/sleep.ts';
import type { ManagedProcess } from './managed-process.ts';

/** A process did not come up; the message holds the end of its log. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const LOG_LINES = 20;
const POLL_MS = 150;

/** Waits until the process answers 200 at `url`. Rejects with StartError when it ends before, or not in time. */
export async function waitFor(
  process: ManagedProcess,
  url: string,
  { timeoutMs, signal }: WaitOptions,
): Promise<void> {
  const { name, logFile } = process.spec;
  let answer = 'no answer';
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(POLL_MS, signal)) {
    signal?.throwIfAborted();
    if (process.state !== 'running')
      throw new StartError(`${name} ${process.lastExit}. ${endOfLog(process)}`);
    answer = await ask(url);
    if (answer === 'ok') return;
  }
  throw new StartError(
    `${name} is not ready after ${timeoutMs / 1000} s: ${url} says: ${answer} (log: ${logFile}). ${endOfLog(process)}`,
  );
}

async function ask(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000), redirect: 'error' });
    const text = await response.text();
    return response.ok ? 'ok' : `${response.status} ${text.slice(0, 300)}`;
  } catch {
    return 'no answer';
  }
}

function endOfLog(process: ManagedProcess): string {
  const lines = process.tail(LOG_LINES).map((line) => `    ${line.slice(0, 1500)}`);
  return `The end of its log (${process.spec.logFile}):\n${lines.join('\n')}`;
}
