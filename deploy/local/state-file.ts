import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes a file that only its owner may read, in one step: a crash leaves the old one or the new one, never half. */
export function writePrivateFile(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  writeFileSync(temporary, content, { mode: 0o600 });
  renameSync(temporary, path);
}

/** The content of a file that is made once and then kept. */
export function keepFile(path: string, make: () => string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8');
  const content = make();
  writePrivateFile(path, content);
  return content;
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** `make clean` removes a folder only when this file says that everything in it is ours. */
const MARK = '.tocsin-state';

/** Makes the state folder, and marks it as ours unless somebody else's files are in it. */
export function makeStateDir(stateDir: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const others = readdirSync(stateDir).filter((name) => name !== 'bin' && name !== MARK);
  if (others.length === 0)
    writeFileSync(join(stateDir, MARK), 'Made by make run; make clean removes this folder.\n');
}
