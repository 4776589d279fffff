import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';

const ROOT = resolve(import.meta.dirname, '..');
const END_MS = 2_000;

/** A process of ours that is told what to do by messages. */
export interface Child {
  readonly pid: number;
  /** Sends an order and resolves to the next message that comes back; rejects when the process ends or is too slow. */
  readonly ask: <Answer>(order: object, timeoutMs: number) => Promise<Answer>;
  /** The next message. */
  readonly next: <Answer>(timeoutMs: number) => Promise<Answer>;
  readonly kill: () => void;
}

export interface ChildOptions {
  /** Below tests/load. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
  /** For error messages. */
  readonly name: string;
}

/** Starts a process that ends at the latest with the stack. What it prints to stdout is dropped: libraries chatter. */
export function startChild(options: ChildOptions, cleanup: CleanupStack): Child {
  const child = fork(resolve(ROOT, options.file), [...options.args], {
    execArgv: [...(options.execArgv ?? [])],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...options.env },
  });
  const end = new AbortController();
  const exited = once(child, 'exit').then(
    ([code, signal]) => end.abort(new Error(`${options.name} ended with ${code ?? signal}`)),
    (cause: unknown) => end.abort(new Error(`${options.name} failed`, { cause })),
  );
  cleanup.add(options.name, async () => {
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await exited;
    clearTimeout(timer);
  });
  const next = <Answer>(timeoutMs: number): Promise<Answer> =>
    messageOf(child, AbortSignal.any([AbortSignal.timeout(timeoutMs), end.signal]), options.name);
  return {
    pid: child.pid ?? 0,
    next,
    ask: (order, timeoutMs) => {
      if (child.connected) child.send(order);
      return next(timeoutMs);
    },
    kill: () => child.kill('SIGKILL'),
  };
}

async function messageOf<Answer>(
  child: ChildProcess,
  signal: AbortSignal,
  name: string,
): Promise<Answer> {
  try {
    const [message] = await once(child, 'message', { signal });
    return message;
  } catch (error) {
    if (!signal.aborted) throw error;
    const { reason } = signal;
    throw reason?.name === 'TimeoutError' ? new Error(`${name} did not answer in time`) : reason;
  }
}
