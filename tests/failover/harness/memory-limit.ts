import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CGROUP = '/sys/fs/cgroup/memory';
/** Less than a process asks for within a blink of work: the kernel then kills it, as it does when memory is gone. */
const LIMIT_BYTES = 256 * 1024;

/** Whether this machine has memory control groups (version 1) that we may use. */
export function canLimitMemory(): boolean {
  return process.getuid?.() === 0 && existsSync(join(CGROUP, 'memory.limit_in_bytes'));
}

/** From now on the process gets no more memory: at its next need the kernel's out-of-memory killer ends it. */
export function takeMemory(pid: number): { close: () => void } {
  const folder = join(CGROUP, `tocsin-faults-${pid}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'memory.limit_in_bytes'), String(LIMIT_BYTES));
  writeFileSync(join(folder, 'cgroup.procs'), String(pid));
  return { close: () => rmdirSync(folder) };
}
