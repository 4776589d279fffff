import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** Raised with every change of the tables below: a file of another version is filled anew, not translated. */
export const SCHEMA_VERSION = 2;

/**
 * `devices` is written in the order in which records come, which is several times faster than in the order of the ids;
 * `device_areas` and `by_department` hold, for each area, transport and shard, the ids in order, so that a page of an
 * area's people is one walk along an index.
 */
const SCHEMA = `
  CREATE TABLE devices (
    n INTEGER PRIMARY KEY, device_id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, active INTEGER NOT NULL,
    transport TEXT NOT NULL, shard INTEGER NOT NULL, probe INTEGER NOT NULL, record TEXT NOT NULL, checksum INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX probes ON devices (transport, shard, device_id) WHERE probe = 1;
  CREATE INDEX tombstones ON devices (version) WHERE active = 0;
  CREATE TABLE device_areas (
    code TEXT NOT NULL, transport TEXT NOT NULL, shard INTEGER NOT NULL, device_id TEXT NOT NULL, n INTEGER NOT NULL,
    department TEXT NOT NULL, PRIMARY KEY (code, transport, shard, device_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX by_department ON device_areas (department, transport, shard, device_id, n);
  CREATE TABLE cursors (site TEXT PRIMARY KEY, created TEXT NOT NULL, sequence INTEGER NOT NULL) STRICT;
  CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), active INTEGER NOT NULL, known INTEGER NOT NULL,
    whole_since INTEGER, purged INTEGER NOT NULL) STRICT;
  INSERT INTO state VALUES (1, 0, 0, NULL, 0);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

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
}

/**
 * Opens the replica. A file that is damaged or of another version is set aside and a new one begun. Throws what SQLite
 * says when the file cannot be opened for another reason (locked, no rights, disk full): then it stays as it is.
 * `isChecked`: SQLite's own check of the structure, which reads the whole file, has just been made.
 */
export function openReplica(path: string, isChecked = false): OpenedReplica {
  const wasThere = path !== ':memory:' && existsSync(path);
  try {
    const { db, isEmpty } = openChecked(path, isChecked);
    return {
      db,
      isNew: isEmpty,
      setAside: undefined,
      isMarkedDamaged: !isEmpty && existsSync(markPath(path)),
    };
  } catch (error) {
    if (!wasThere || !isCorruption(error)) throw error;
    const setAside = setReplicaAside(path);
    return { db: openChecked(path, isChecked).db, isNew: true, setAside, isMarkedDamaged: false };
  }
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

function openChecked(path: string, isChecked: boolean): { db: DatabaseSync; isEmpty: boolean } {
  const db = new DatabaseSync(path);
  try {
    db.exec(
      'PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 16384;',
    );
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] ?? 0);
    const isEmpty = tables === 0;
    if (isEmpty) db.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    else if (version !== SCHEMA_VERSION)
      throw new DamagedReplicaError(`replica is of version ${version}, not ${SCHEMA_VERSION}`);
    if (!isChecked) checkStructure(db);
    return { db, isEmpty };
  } catch (error) {
    db.close();
    throw error;
  }
}

function checkStructure(db: DatabaseSync): void {
  const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (check !== 'ok') throw new DamagedReplicaError(`replica fails its check: ${String(check)}`);
}
