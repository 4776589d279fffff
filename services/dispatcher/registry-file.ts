import { renameSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { placesOf } from './recipient-query.ts';
import {
  isCorruption,
  markDamaged,
  openReplica,
  removeReplica,
  type StructureCheck,
  setReplicaAside,
} from './replica-file.ts';
import { prepareAll, type RawRow, type Statements } from './replica-statements.ts';
import { runReplicaTask } from './replica-task.ts';
import { checkedRow, type DeviceRow, idHash } from './row-checksum.ts';
import { isRecordOf } from './row-format.ts';

/** A device and the hash under which it stands in the indexes. */
export interface FoundRow {
  readonly h: number;
  readonly known: DeviceRow | undefined;
}

/**
 * The file that the registry is in at the moment, and what is known of it. Whoever reads goes through {@link reading} and
 * {@link checked}: what is not what was written is not used, is counted, and makes the file `damaged`.
 */
export class RegistryFile {
  readonly path: string;
  /** The name under which a file that could not be used was set aside at the start. */
  readonly setAside: string | undefined;
  #db: DatabaseSync;
  #statements: Statements;
  #isDamaged: boolean;
  #isNew: boolean;
  #isUnchecked: boolean;
  #number = 0;
  #onDamage: (what: string) => void = () => undefined;

  /** Throws what SQLite says when the file is there and cannot be opened for another reason than its content. */
  constructor(path: string, check: StructureCheck) {
    const opened = openReplica(path, check);
    this.path = path;
    this.setAside = opened.setAside;
    this.#db = opened.db;
    this.#isNew = opened.isNew;
    this.#isUnchecked = opened.isUnchecked;
    this.#isDamaged = opened.isMarkedDamaged;
    this.#statements = prepareAll(this.#db);
  }

  get db(): DatabaseSync {
    return this.#db;
  }

  get statements(): Statements {
    return this.#statements;
  }

  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  get isNew(): boolean {
    return this.#isNew;
  }

  get isUnchecked(): boolean {
    return this.#isUnchecked;
  }

  /** Changes whenever a row's number may mean another device than before. */
  get number(): number {
    return this.#number;
  }

  watchDamage(listener: (what: string) => void): void {
    this.#onDamage = listener;
  }

  noteWritten(): void {
    this.#isNew = false;
  }

  /** Rows that were written are taken back: their numbers are given again. */
  noteSetBack(): void {
    this.#number++;
  }

  noteDamage(what: string): void {
    if (!this.#isDamaged) markDamaged(this.path);
    this.#isDamaged = true;
    this.#onDamage(what);
  }

  /** Notes an error that says that the content is wrong; throws any other. */
  unlessCorrupt(error: unknown): void {
    if (!isCorruption(error)) throw error;
    this.noteDamage('the file is malformed');
  }

  /** Reads; from a file whose content is wrong nothing comes, and it is damaged. */
  reading<Result>(read: () => Result): Result | undefined {
    try {
      return read();
    } catch (error) {
      this.unlessCorrupt(error);
      return undefined;
    }
  }

  /** The row behind the columns of `raw` from `at` on, unless it fails its checksum. */
  checked(raw: RawRow, at = 0): DeviceRow | undefined {
    const row = checkedRow(raw, at);
    if (!row) this.noteDamage('a row fails its checksum');
    return row;
  }

  /** Whatever stands under a device's hash, in any of the places where it can be. */
  underHash(deviceId: string, h: number): readonly RawRow[] {
    return this.reading(() => this.#statements.byHash.all(...placesOf(deviceId), h)) ?? [];
  }

  /** The row of a device, as it stands: its checksum is not looked at. */
  find(deviceId: string): FoundRow {
    const h = idHash(deviceId);
    for (const [n, , version, place, record, checksum] of this.underHash(deviceId, h)) {
      if (typeof record !== 'string' || !isRecordOf(record, deviceId)) continue;
      const known = {
        n: Number(n),
        h,
        version: Number(version),
        place: Number(place),
        record,
        checksum: Number(checksum),
      };
      return { h, known };
    }
    return { h, known: undefined };
  }

  /** Looks, in a thread, at the structure of a file that was too large for it at the start. */
  async check(signal: AbortSignal): Promise<void> {
    const db = this.#db;
    if (!this.#isUnchecked) return;
    try {
      await runReplicaTask({ kind: 'check', path: this.path }, signal);
      if (db === this.#db) this.#isUnchecked = false;
    } catch (error) {
      if (db === this.#db) this.unlessCorrupt(error);
    }
  }

  /**
   * Puts a finished replica in this one's place; a damaged file is set aside, another one is dropped. Throws when the
   * files cannot be moved: then whatever is there is used on.
   */
  replaceBy(path: string): void {
    this.#db.close();
    try {
      if (this.#isDamaged) setReplicaAside(this.path);
      else removeReplica(this.path);
      renameSync(path, this.path);
    } finally {
      const opened = openReplica(this.path, 'none');
      this.#db = opened.db;
      this.#isNew = opened.isNew;
      this.#isDamaged = opened.isMarkedDamaged;
      this.#isUnchecked = false;
      this.#number++;
      this.#statements = prepareAll(this.#db);
    }
  }

  close(): void {
    this.#db.close();
  }
}
