import type { RegistryFile } from './registry-file.ts';
import type { DeviceRow } from './row-checksum.ts';
import { codesIn } from './row-format.ts';

/** Looks through the file in quiet times, a few rows after the other, so that damage is found before an alert meets it. */
export class RegistryScrubber {
  readonly #file: RegistryFile;
  #fileNumber: number;
  #scrubbed = 0;

  constructor(file: RegistryFile) {
    this.#file = file;
    this.#fileNumber = file.number;
  }

  /** See Registry.scrub. */
  scrub(limit: number): number {
    const file = this.#file;
    if (this.#fileNumber !== file.number) this.#scrubbed = 0;
    this.#fileNumber = file.number;
    const rows =
      file.reading(() => file.statements.inOrderOfArrival.all(this.#scrubbed, limit)) ?? [];
    for (const raw of rows) {
      const row = file.checked(raw);
      if (row && !isFound(file, row)) file.noteDamage('a device is missing from an index');
    }
    this.#scrubbed = rows.length < limit ? 0 : Number(rows.at(-1)?.[0] ?? 0);
    return rows.length;
  }
}

function isFound(file: RegistryFile, row: DeviceRow): boolean {
  const { hasArea, hasPlace } = file.statements;
  const { place, h, n } = row;
  const isThere = (read: () => unknown) => file.reading(read) !== undefined;
  return (
    isThere(() => hasPlace.get(place, h, n)) &&
    codesIn(row.record).every((code) => isThere(() => hasArea.get(place, code, h, n)))
  );
}
