import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { PLACES } from './recipient-query.ts';
import { ROW_COLUMNS } from './row-checksum.ts';

/** A row as SQLite hands it over: its columns in order, which costs half of an object with their names. */
export type RawRow = readonly unknown[];

/** Statements of filters that were asked lately; an alert asks the same ones again and again. */
const KEPT_STATEMENTS = 64;

export type Statements = ReturnType<typeof prepareAll>;

/** Everything that is asked more than now and then, prepared once for each file. */
export function prepareAll(db: DatabaseSync) {
  const filters = new Map<string, ReturnType<typeof asArrays>>();
  const row = ROW_COLUMNS.join(', ');
  const area = 'place = ? AND code = ? AND h = ? AND n = ?';
  return {
    /** What stands under a hash in one of three places ({@link placesOf}): one device, but for a chance in millions. */
    byHash: asArrays(db.prepare(`SELECT ${row} FROM devices WHERE place IN (?, ?, ?) AND h = ?`)),
    byNumber: asArrays(db.prepare(`SELECT ${row} FROM devices WHERE n = ?`)),
    countPlaces: asArrays(
      db.prepare('SELECT count(*) FROM devices INDEXED BY by_place WHERE place >= ? AND place < ?'),
    ),
    inOrderOfPlace: asArrays(
      db.prepare(
        `SELECT ${row} FROM devices WHERE (place, h, n) > (?, ?, ?) ORDER BY place, h, n LIMIT ?`,
      ),
    ),
    /** Who shares a row's hash, behind it. */
    besideInPlace: asArrays(
      db.prepare(`SELECT ${row} FROM devices WHERE place = ? AND h = ? AND n > ? ORDER BY n`),
    ),
    inOrderOfArrival: asArrays(
      db.prepare(`SELECT ${row} FROM devices WHERE n > ? ORDER BY n LIMIT ?`),
    ),
    insert: db.prepare('INSERT INTO devices VALUES (NULL, ?, ?, ?, ?, ?)'),
    update: db.prepare(
      'UPDATE devices SET version = ?, place = ?, record = ?, checksum = ? WHERE n = ?',
    ),
    addArea: db.prepare('REPLACE INTO areas VALUES (?, ?, ?, ?)'),
    dropArea: db.prepare(`DELETE FROM areas WHERE ${area}`),
    dropEverywhere: db.prepare('DELETE FROM areas WHERE n = ?'),
    hasArea: db.prepare(`SELECT 1 FROM areas WHERE ${area}`),
    hasPlace: db.prepare(
      'SELECT 1 FROM devices INDEXED BY by_place WHERE place = ? AND h = ? AND n = ?',
    ),
    cursor: db.prepare('SELECT created, sequence FROM cursors WHERE site = ?'),
    setCursor: db.prepare('REPLACE INTO cursors VALUES (?, ?, ?)'),
    counts: db.prepare('SELECT active, known, purged FROM state'),
    setCounts: db.prepare('UPDATE state SET active = ?, known = ?, purged = ?'),
    wholeSince: db.prepare('SELECT whole_since FROM state'),
    purge: db.prepare(
      `DELETE FROM devices WHERE n IN (SELECT n FROM devices WHERE place >= ${PLACES} AND version < ? ORDER BY version LIMIT ?)`,
    ),
    filter: (sql: string): ReturnType<typeof asArrays> => {
      const kept = filters.get(sql) ?? asArrays(db.prepare(sql));
      if (filters.size >= KEPT_STATEMENTS) filters.clear();
      filters.set(sql, kept);
      return kept;
    },
  };
}

function asArrays(statement: StatementSync) {
  statement.setReturnArrays(true);
  return {
    /** All rows, each as its columns in order (what the types of node:sqlite do not say). */
    all: (...values: SQLInputValue[]): RawRow[] => statement.all(...values) as unknown as RawRow[],
  };
}
