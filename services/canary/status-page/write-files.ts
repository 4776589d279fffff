import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Puts files into a folder, each renamed into place: who serves or copies the folder meanwhile gets the old file or the
 * new one, never half of one. Everybody may read them. Throws what the disk says.
 */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const beside = join(folder, `.${name}.new`);
    writeFileSync(beside, text, { mode: 0o644 });
    renameSync(beside, join(folder, name));
  }
}
