import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** A log is moved to `<name>.1` when it is longer than this; with the copy a process takes at most twice as much disk. */
const MAX_LOG_BYTES = 20 * 1024 * 1024;

/** Opens a log for a child's output. In append mode, so that it can be emptied while the child writes. */
export function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  boundLog(path);
  return openSync(path, 'a', 0o600);
}

/** Copies a log that has grown too long to `<name>.1` and empties it. What is written in between may be lost. */
export function boundLog(path: string, maxBytes = MAX_LOG_BYTES): void {
  if (logBytes(path) <= maxBytes) return;
  copyFileSync(path, `${path}.1`);
  const file = openSync(path, 'r+');
  ftruncateSync(file, 0);
  closeSync(file);
}

export function logBytes(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

/** The last lines of a log, written after `fromByte`. */
export function tailOfLog(path: string, lines: number, fromByte = 0): string[] {
  if (!existsSync(path)) return [];
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const from = Math.max(size < fromByte ? 0 : fromByte, size - 64 * 1024);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    readSync(file, bytes, 0, bytes.length, from);
    return bytes.toString('utf8').trimEnd().split('\n').slice(-lines);
  } finally {
    closeSync(file);
  }
}
