import type { DatabaseSync } from 'node:sqlite';
import { isActivePlace } from './recipient-query.ts';
import { DamagedReplicaError, openReplica, removeReplica } from './replica-file.ts';
import { checkedRow, ROW_COLUMNS } from './row-checksum.ts';
import { codesIn } from './row-format.ts';

/**
 * Throws {@link DamagedReplicaError} unless a file is a whole replica that is right in every row, and whose indexes hold
 * what the rows say, no more and no less. Each table is read once from its beginning to its end: the entries of an index
 * are not looked up one by one, but counted and added up on both sides.
 */
export function verifyReplica(path: string): void {
  const { db, isNew, setAside, isMarkedDamaged } = openReplica(path, 'all');
  try {
    if (setAside !== undefined || isNew || isMarkedDamaged || !wasWhole(db))
      throw new DamagedReplicaError('the copy is not a whole replica');
    db.exec('PRAGMA cache_size = -16384');
    const said = readDevices(db);
    const state = db.prepare('SELECT active, known FROM state').get();
    if (state?.['active'] !== said.active || state['known'] !== said.places.count)
      throw new DamagedReplicaError('the copy’s counts are not those of its rows');
    if (
      !isEqual(said.places, readIndex(db, 'SELECT h, n, place, 0 FROM devices INDEXED BY by_place'))
    )
      throw new DamagedReplicaError('the copy’s index of places is not that of its rows');
    if (!isEqual(said.areas, readIndex(db, 'SELECT h, n, place, code FROM areas')))
      throw new DamagedReplicaError('the copy’s index of areas is not that of its rows');
  } finally {
    db.close();
    if (setAside !== undefined) removeReplica(setAside);
  }
}

interface Sum {
  count: number;
  sum: number;
}

function wasWhole(db: DatabaseSync): boolean {
  return db.prepare('SELECT whole_since FROM state').get()?.['whole_since'] !== null;
}

function readDevices(db: DatabaseSync): { places: Sum; areas: Sum; active: number } {
  const places = { count: 0, sum: 0 };
  const areas = { count: 0, sum: 0 };
  let active = 0;
  for (const raw of rowsOf(db, `SELECT ${ROW_COLUMNS.join(', ')} FROM devices`)) {
    const row = checkedRow(raw);
    if (!row) throw new DamagedReplicaError('the copy has damaged rows');
    add(places, row.h, row.n, row.place, '0');
    if (!isActivePlace(row.place)) continue;
    active++;
    for (const code of codesIn(row.record)) add(areas, row.h, row.n, row.place, code);
  }
  return { places, areas, active };
}

function readIndex(db: DatabaseSync, sql: string): Sum {
  const sum = { count: 0, sum: 0 };
  for (const [h, n, place, code] of rowsOf(db, sql))
    add(sum, Number(h), Number(n), Number(place), String(code));
  return sum;
}

function rowsOf(db: DatabaseSync, sql: string): Iterable<readonly unknown[]> {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  return statement.iterate() as unknown as Iterable<readonly unknown[]>;
}

/** Adds an entry to a sum that does not depend on their order. */
function add(sum: Sum, h: number, n: number, place: number, code: string): void {
  let mixed = Math.imul((h >>> 0) ^ Math.floor(h / 2 ** 32) ^ 0x9e3779b9, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ n, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 13) ^ place, 0x27d4eb2f);
  for (let i = 0; i < code.length; i++)
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ code.charCodeAt(i), 0x165667b1);
  sum.count++;
  sum.sum = (sum.sum + ((mixed ^ (mixed >>> 16)) >>> 0)) % 2 ** 52;
}

function isEqual(a: Sum, b: Sum): boolean {
  return a.count === b.count && a.sum === b.sum;
}
