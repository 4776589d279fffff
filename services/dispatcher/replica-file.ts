import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { PLACES } from './recipient-query.ts';

/** Raised with every change of the tables below: a file of another version is filled anew, not translated. */
export const SCHEMA_VERSION = 3;
/** The version of a file that is being filled in one go, without a log: after a crash it is begun anew. */
const FILLING_VERSION = -SCHEMA_VERSION;

/**
 * `devices` is written in the order in which records come, which is several times faster than in the order of the ids;
 * its `n` is a device's number for its life here. `areas` holds who is to be found where: by place (transport and finest
 * shard), then by area, in the order of the ids' hashes. A department is a range of codes. Tombstones are in places behind
 * all others.
 */
const SCHEMA = `
  CREATE TABLE devices (
    n INTEGER PRIMARY KEY, h INTEGER NOT NULL, version INTEGER NOT NULL, place INTEGER NOT NULL, record TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX by_place ON devices (place, h);
  CREATE INDEX tombstones ON devices (version) WHERE place >= ${PLACES};
  CREATE TABLE areas (
    place INTEGER NOT NULL, code TEXT NOT NULL, h INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (place, code, h, n)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE cursors (site TEXT PRIMARY KEY, created TEXT NOT NULL, sequence INTEGER NOT NULL) STRICT;
  CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), active INTEGER NOT NULL, known INTEGER NOT NULL,
    whole_since INTEGER, purged INTEGER NOT NULL) STRICT;
  INSERT INTO state VALUES (1, 0, 0, NULL, 0);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Every place, for the walks through all of them. Made anew with each connection: nothing in it can be damaged. */
const PLACES_TABLE = `
  CREATE TEMP TABLE places (place INTEGER PRIMARY KEY);
  INSERT INTO places WITH RECURSIVE p (x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM p WHERE x < ${PLACES - 1}) SELECT x FROM p;
`;

/**
 * A log, synced when it is copied into the file. That is done in a thread (replica-thread.ts), and who follows the streams
 * waits for it when the log is too long; one of 256 MB, which a reader keeps from being begun again, is copied at once.
 */
const SETTINGS = `
  PRAGMA busy_timeout = 2000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 65536;
`;
/** Larger files are checked in a thread while they serve. */
const CHECKED_AT_ONCE_BYTES = 32 * 1024 ** 2;

/** SQLite's primary result codes for a file whose content is wrong: SQLITE_CORRUPT and SQLITE_NOTADB. */
const CORRUPT_CODES = [11, 26];
/** SQLITE_IOERR_SHORT_READ: the file ends before the page that it should hold. */
const SHORT_READ = 522;

/** The file is there and is not what it should be: damaged, or of another version. */
export class DamagedReplicaError extends Error {
  override readonly name = 'DamagedReplicaError';
}

/** True when an error says that the content is wrong; a file that is locked, unreadable or on a full disk is not. */
export function isCorruption(error: unknown): boolean {
  if (error instanceof DamagedReplicaError) return true;
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' && (CORRUPT_CODES.includes(code & 0xff) || code === SHORT_READ);
}

const SIDE_FILES = ['-wal', '-shm'];

/** The mark beside a file in which damage was found: whatever ends the process, the next life does not trust it. */
const markPath = (path: string) => `${path}.damaged`;

export interface OpenedReplica {
  readonly db: DatabaseSync;
  /** Nothing was there, or what was there is set aside: everything is still to be read. */
  readonly isNew: boolean;
  /** What was there was damaged or of another version, and now has this name. */
  readonly setAside: string | undefined;
  /** An earlier life found damage in this file: what is good in it serves until it is filled anew. */
  readonly isMarkedDamaged: boolean;
  /** The file's structure is still to be looked at, by {@link checkStructure} in a thread. */
  readonly isUnchecked: boolean;
}

/** What SQLite's own check of the structure, which reads the whole file, is to be made of at opening. */
export type StructureCheck = 'all' | 'small-files' | 'none';

/**
 * Opens the replica. A file that is damaged or of another version is set aside and a new one begun. Throws what SQLite
 * says when the file cannot be opened for another reason (locked, no rights, disk full): then it stays as it is.
 */
export function openReplica(path: string, check: StructureCheck = 'small-files'): OpenedReplica {
  const wasThere = path !== ':memory:' && existsSync(path);
  if (wasThere && isHalfFilled(path)) removeReplica(path);
  try {
    const opened = openChecked(path, check);
    const isMarkedDamaged = !opened.isNew && existsSync(markPath(path));
    return { ...opened, setAside: undefined, isMarkedDamaged };
  } catch (error) {
    if (!wasThere || !isCorruption(error)) throw error;
    const setAside = setReplicaAside(path);
    return { ...openChecked(path, check), setAside, isMarkedDamaged: false };
  }
}

/** From here to {@link endFilling} nothing is synced and no log is kept: a file that is empty is filled in one go. */
export function beginFilling(db: DatabaseSync): void {
  db.exec(
    `PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA user_version = ${FILLING_VERSION};`,
  );
}

/** A log is kept again. What was written before is not on disk for sure until the log has been copied into the file. */
export function endFilling(db: DatabaseSync): void {
  db.exec(`${SETTINGS} PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; UPDATE state SET one = 1;
    PRAGMA shrink_memory;`);
}

/** What was filled in one go is on disk: the file is trusted by the next life. */
export function markFilled(db: DatabaseSync): void {
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** Moves a file (and nothing that belongs to it stays) to `<path>.corrupt`, over the one before. Returns that name. */
export function setReplicaAside(path: string): string {
  const aside = `${path}.corrupt`;
  removeReplica(aside);
  if (existsSync(path)) renameSync(path, aside);
  // The log may hold what the file lacks: whoever looks into it wants both.
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  removeReplica(path);
  return aside;
}

export function removeReplica(path: string): void {
  for (const suffix of ['', ...SIDE_FILES, '.damaged']) rmSync(`${path}${suffix}`, { force: true });
}

export function markDamaged(path: string): void {
  if (path === ':memory:') return;
  try {
    writeFileSync(markPath(path), '');
  } catch {
    // A full disk: the damage is found again by the next life as it was by this one.
  }
}

function isHalfFilled(path: string): boolean {
  try {
    const db = new DatabaseSync(path);
    try {
      return db.prepare('PRAGMA user_version').get()?.['user_version'] === FILLING_VERSION;
    } finally {
      db.close();
    }
  } catch {
    return false;
  }
}

type Opened = Pick<OpenedReplica, 'db' | 'isNew' | 'isUnchecked'>;

function openChecked(path: string, check: StructureCheck): Opened {
  const db = new DatabaseSync(path);
  try {
    db.exec(`${SETTINGS} PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] ?? 0);
    const isNew = tables === 0;
    if (isNew) db.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    else if (version !== SCHEMA_VERSION)
      throw new DamagedReplicaError(`replica is of version ${version}, not ${SCHEMA_VERSION}`);
    const isLarge = path !== ':memory:' && statSync(path).size > CHECKED_AT_ONCE_BYTES;
    if (check === 'all' || (check === 'small-files' && !isLarge)) checkStructure(db);
    db.exec(PLACES_TABLE);
    return { db, isNew, isUnchecked: check === 'small-files' && isLarge };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Throws {@link DamagedReplicaError}, or what SQLite says, when the file's structure is not as it should be. */
export function checkStructure(db: DatabaseSync): void {
  const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (check !== 'ok') throw new DamagedReplicaError(`replica fails its check: ${String(check)}`);
}
