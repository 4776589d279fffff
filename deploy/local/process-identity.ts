import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process that we can recognise again: pids are reused, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since boot and the boot's id, from /proc; absent where there is no /proc. */
  readonly startedAt?: string | undefined;
}

/** The identity of a process that runs now; undefined when it does not (a zombie does not), or where there is no /proc. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold anything, so fields are counted from its end: state is the 3rd, start time the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, startedAt: `${fields[19]}@${boot}` };
  } catch {
    return undefined;
  }
}

/** True only when the very process that was noted is still there. */
export function isSameProcess(noted: ProcessIdentity): boolean {
  return noted.startedAt !== undefined && identify(noted.pid)?.startedAt === noted.startedAt;
}

/** Ends a process that was noted: TERM, and KILL when it is still there after `graceMs`. Resolves when it is gone. */
export async function endProcess(noted: ProcessIdentity, graceMs: number): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!isSameProcess(noted)) return;
    sendSignal(noted.pid, signal);
    for (const end = Date.now() + waitMs; Date.now() < end && isSameProcess(noted); )
      await delay(50);
  }
}

/** Sends a signal; false when there is nobody to get it. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
