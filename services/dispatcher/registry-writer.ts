import { statSync } from 'node:fs';
import type { StreamCursor } from '../../shared/bus/consume.ts';
import { type RegistryRecord, recordDeviceId } from '../../shared/subscription/registry-record.ts';
import { isActivePlace, placeOf, tombstonePlace } from './recipient-query.ts';
import type { RegistryFile } from './registry-file.ts';
import { beginFilling, endFilling, markFilled } from './replica-file.ts';
import { runReplicaTask } from './replica-task.ts';
import { type DeviceRow, rowChecksum } from './row-checksum.ts';
import { codesIn, codesOf, encodeRecord } from './row-format.ts';

/** How many devices are active, how many are known with the removed ones, and how many tombstones were purged. */
export interface Counts {
  readonly active: number;
  readonly known: number;
  readonly purged: number;
}

/** A record to be written (none: it was junk), and how far a site's stream has been read with it. */
export interface Change {
  readonly site?: string;
  readonly cursor?: StreamCursor;
  readonly record: RegistryRecord | undefined;
}

/** A log of this size is copied into the file by a thread. */
const LONG_LOG_BYTES = 16 * 1024 ** 2;
/** A log that grows faster than that is waited for: it can be begun again only while nothing is written. */
const TOO_LONG_LOG_BYTES = 64 * 1024 ** 2;

/** Writes the registry's file: changes in transactions, an empty file in one go, and keeps the counts right. */
export class RegistryWriter {
  readonly #file: RegistryFile;
  #counts: Counts;
  /** The counts as they were when the open transaction began. */
  #countsBefore: Counts;
  #isFilling = false;
  /** While the log is copied into the file by a thread. */
  #checkpointing: Promise<void> | undefined;
  /** The same while it is too long. */
  #tooLong: Promise<void> | undefined;
  #onRollBack: () => void = () => undefined;

  constructor(file: RegistryFile) {
    this.#file = file;
    this.#counts = readCounts(file);
    this.#countsBefore = this.#counts;
  }

  get counts(): Counts {
    return this.#counts;
  }

  get isFilling(): boolean {
    return this.#isFilling;
  }

  /** See Registry.logShortening. */
  get logShortening(): Promise<void> | undefined {
    return this.#tooLong;
  }

  watchRollBack(listener: () => void): void {
    this.#onRollBack = listener;
  }

  /** See Registry.apply. */
  apply(batch: readonly Change[], hold: boolean): void {
    const { db, statements } = this.#file;
    const isHeld = db.isTransaction;
    try {
      if (!isHeld) {
        this.#countsBefore = this.#counts;
        db.exec('BEGIN IMMEDIATE');
      }
      for (const { record } of batch) if (record) this.#applyOne(record);
      const cursors = new Map<string, StreamCursor>();
      for (const { site, cursor } of batch)
        if (site !== undefined && cursor) cursors.set(site, cursor);
      for (const [site, { created, sequence }] of cursors)
        statements.setCursor.run(site, created, sequence);
      if (!hold) this.#commit();
    } catch (error) {
      this.#rollBack();
      if (isHeld) this.#onRollBack();
      this.#file.unlessCorrupt(error);
    }
  }

  /** Writes what was held. When that fails (a full disk), it is lost, and whoever watches is told. */
  commit(): void {
    if (!this.#file.db.isTransaction) return;
    try {
      this.#commit();
    } catch (error) {
      this.#rollBack();
      this.#onRollBack();
      this.#file.unlessCorrupt(error);
    }
  }

  #commit(): void {
    this.#writeCounts();
    this.#file.db.exec('COMMIT');
    this.#countsBefore = this.#counts;
    this.#file.noteWritten();
    this.#shortenLog();
  }

  /** From here on an empty file is filled without a log and without syncing; {@link settle} ends it. */
  beginFilling(): void {
    if (this.#file.path === ':memory:' || !this.#file.isNew || this.#isFilling) return;
    beginFilling(this.#file.db);
    this.#isFilling = true;
  }

  /** Brings what was filled in to the disk, in a thread: after this a crash loses no more than in any other replica. */
  async settle(): Promise<void> {
    const { db, path } = this.#file;
    if (!this.#isFilling || this.#checkpointing !== undefined) return;
    this.commit();
    endFilling(db);
    this.#checkpointing = runReplicaTask({ kind: 'checkpoint', path });
    try {
      await this.#checkpointing;
    } finally {
      this.#checkpointing = undefined;
    }
    if (db !== this.#file.db || !db.isOpen) return;
    markFilled(db);
    this.#isFilling = false;
  }

  /** Forgets at most `limit` tombstones with a version (ms since 1970) below `beforeMs`. Returns how many. */
  purgeTombstones(beforeMs: number, limit: number): number {
    const { statements } = this.#file;
    const done = this.#file.reading(() => statements.purge.run(Math.round(beforeMs), limit));
    const count = Number(done?.changes ?? 0);
    if (count === 0) return 0;
    const { active, known, purged } = this.#counts;
    this.#counts = { active, known: known - count, purged: purged + count };
    this.#writeCounts();
    return count;
  }

  /** Another file is in the place of the one that was written. */
  begunAnew(): void {
    this.#isFilling = false;
    this.#counts = readCounts(this.#file);
  }

  /** Before the file is closed. What is being filled without a log is not worth keeping: the next life begins it anew. */
  end(): void {
    if (!this.#isFilling) this.commit();
  }

  #writeCounts(): void {
    const { active, known, purged } = this.#counts;
    this.#file.statements.setCounts.run(active, known, purged);
  }

  #rollBack(): void {
    const { db } = this.#file;
    // After some errors SQLite has ended the transaction itself: what was held is lost all the same.
    if (db.isTransaction) db.exec('ROLLBACK');
    this.#counts = this.#countsBefore;
    this.#file.noteSetBack();
  }

  #applyOne(record: RegistryRecord): void {
    const deviceId = recordDeviceId(record);
    const { statements } = this.#file;
    const { h, known } = this.#file.find(deviceId);
    if (known && record.version <= known.version) return;
    const text = encodeRecord(record);
    const isActive = record.state === 'active';
    const place = isActive
      ? placeOf(deviceId, record.subscription.address.transport)
      : tombstonePlace(deviceId);
    const { version } = record;
    const checksum = rowChecksum({ h, version, place, record: text });
    const before = known ? this.#areasBefore(known) : [];
    const n = known
      ? known.n
      : Number(statements.insert.run(h, version, place, text, checksum).lastInsertRowid);
    if (known) statements.update.run(version, place, text, checksum, n);
    const { active, known: devices, purged } = this.#counts;
    const difference = (isActive ? 1 : 0) - (known && isActivePlace(known.place) ? 1 : 0);
    this.#counts = { active: active + difference, known: devices + (known ? 0 : 1), purged };
    const codes = codesOf(record);
    if (known && known.place === place && isSame(before, codes)) return;
    for (const code of before) statements.dropArea.run(known?.place ?? place, code, h, n);
    for (const code of codes) statements.addArea.run(place, code, h, n);
  }

  /** The areas under which a device stands in the index. A damaged row does not say: it is taken out of all of them. */
  #areasBefore(known: DeviceRow): readonly string[] {
    if (rowChecksum(known) === known.checksum) return codesIn(known.record);
    this.#file.statements.dropEverywhere.run(known.n);
    return [];
  }

  /** Copies a long log into the file, in a thread: its syncing would hold up whatever is to be sent. */
  #shortenLog(): void {
    const { path } = this.#file;
    if (this.#isFilling || path === ':memory:') return;
    const size = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (size < LONG_LOG_BYTES) return;
    this.#checkpointing ??= runReplicaTask({ kind: 'checkpoint', path })
      // A failure (a full disk) is met again by the next commit.
      .catch(() => undefined)
      .finally(() => {
        this.#checkpointing = undefined;
        this.#tooLong = undefined;
      });
    if (size >= TOO_LONG_LOG_BYTES) this.#tooLong = this.#checkpointing;
  }
}

function readCounts({ statements }: RegistryFile): Counts {
  const row = statements.counts.get();
  const count = (name: string) => Number(row?.[name] ?? 0);
  return { active: count('active'), known: count('known'), purged: count('purged') };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((code, i) => code === b[i]);
}
