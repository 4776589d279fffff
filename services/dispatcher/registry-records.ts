import type { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import type { RegistryFile } from './registry-file.ts';
import type { RawRow } from './replica-statements.ts';
import { decodeRecord } from './row-format.ts';

/** Records as the streams hold them. `last` is what to go on from; absent: there is no more. */
export interface RecordsPage {
  readonly records: readonly RegistryRecord[];
  readonly last: string | undefined;
}

/** See Registry.goodRecords. A page ends behind a hash, never between two rows that share one: another file numbers anew. */
export function pageOfRecords(file: RegistryFile, after: string, limit: number): RecordsPage {
  const [place = -1, h = -1] = after === '' ? [] : after.split(':').map(Number);
  const { inOrderOfPlace, besideInPlace } = file.statements;
  const rows: readonly RawRow[] =
    file.reading(() => {
      const page = inOrderOfPlace.all(place, h, Number.MAX_SAFE_INTEGER, limit);
      const end = page.at(-1);
      if (page.length < limit || end === undefined) return page;
      return [...page, ...besideInPlace.all(Number(end[3]), Number(end[1]), Number(end[0]))];
    }) ?? [];
  const records = rows.flatMap((raw) => {
    const row = file.checked(raw);
    return row ? [decodeRecord(row.record, row.version)] : [];
  });
  const last = rows.length < limit ? undefined : rows.at(-1);
  return { records, last: last && `${Number(last[3])}:${Number(last[1])}` };
}
