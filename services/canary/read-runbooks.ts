import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Runbooks } from './page/runbooks.ts';

const FOLDER = resolve(import.meta.dirname, '../../deploy/runbooks');

/** The runbooks that came with this version, read once: a disk that dies later takes them away from nobody. */
export function readRunbooks(folder = FOLDER): Runbooks {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder).filter((name) => /^[a-z0-9-]+\.md$/.test(name));
  return new Map(
    names
      .sort()
      .map((name) => [name.slice(0, -'.md'.length), readFileSync(join(folder, name), 'utf8')]),
  );
}
