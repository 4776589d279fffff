import { renameSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { StreamCursor } from '../../shared/bus/consume.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { type RegistryRecord, recordDeviceId } from '../../shared/subscription/registry-record.ts';
import { countRecipients } from './count-recipients.ts';
import {
  type AudiencePart,
  isActivePlace,
  isInReach,
  isWide,
  type Position,
  placeOf,
  placeRange,
  placesOf,
  type RecipientFilter,
  recipientQuery,
  tombstonePlace,
} from './recipient-query.ts';
import {
  beginFilling,
  endFilling,
  isCorruption,
  markDamaged,
  markFilled,
  openReplica,
  removeReplica,
  type StructureCheck,
  setReplicaAside,
} from './replica-file.ts';
import { prepareAll, type RawRow, type Statements } from './replica-statements.ts';
import { runReplicaTask } from './replica-task.ts';
import { checkedRow, type DeviceRow, idHash, rowChecksum } from './row-checksum.ts';
import {
  codesIn,
  codesOf,
  decodeRecipient,
  decodeRecord,
  deviceIdOf,
  encodeRecord,
  isProbeText,
  type Recipient,
} from './row-format.ts';

export type { RecipientFilter } from './recipient-query.ts';
export type { Recipient } from './row-format.ts';

/** How many devices are active, how many are known with the removed ones, and how many tombstones were purged. */
interface Counts {
  readonly active: number;
  readonly known: number;
  readonly purged: number;
}

interface Change {
  readonly site?: string;
  readonly cursor?: StreamCursor;
  readonly record: RegistryRecord | undefined;
}

/** A canary never reaches more devices than this, whatever it names. */
const MAX_PROBES = 50;
/** A log of this size is copied into the file by a thread. */
const LONG_LOG_BYTES = 16 * 1024 ** 2;

/**
 * This node's full replica of the registry, in a local SQLite file: at alert time nothing outside is asked. It is filled
 * from every site's REGISTRY stream; of one device's records the one with the highest version wins, so order and site
 * do not matter. Every row carries a checksum: what fails it is never sent to, is counted, and makes the replica
 * `damaged` until another file takes its place ({@link Registry.replaceBy}).
 */
export class Registry {
  readonly path: string;
  /** The name under which a file that could not be used was set aside at the start. */
  readonly setAside: string | undefined;
  #db: DatabaseSync;
  #statements: Statements;
  #counts: Counts;
  /** The counts as they were when the open transaction began. */
  #countsBefore: Counts;
  #damaged: boolean;
  #isNew: boolean;
  #isUnchecked: boolean;
  #isFilling = false;
  #isCheckpointing = false;
  #fileNumber = 0;
  #scrubbed = 0;
  #onDamage: (what: string) => void = () => undefined;
  #onRollBack: () => void = () => undefined;

  /** Throws what SQLite says when the file is there and cannot be opened for another reason than its content. */
  constructor(path: string, check: StructureCheck = 'small-files') {
    const opened = openReplica(path, check);
    this.path = path;
    this.setAside = opened.setAside;
    this.#db = opened.db;
    this.#isNew = opened.isNew;
    this.#isUnchecked = opened.isUnchecked;
    this.#damaged = opened.isMarkedDamaged;
    this.#statements = prepareAll(this.#db);
    this.#counts = this.#readCounts();
    this.#countsBefore = this.#counts;
  }

  /** True when the file that was there could not be used and a new one is being filled. */
  get rebuilt(): boolean {
    return this.setAside !== undefined;
  }

  /** Something in the file is not what was written: what is good in it still serves, and it holds not everybody. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /** Nothing has been written into this file yet. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** An empty file is being filled without a log. */
  get isFilling(): boolean {
    return this.#isFilling;
  }

  /** The structure of a large file has still to be looked at ({@link check}): until then it serves and claims nothing. */
  get isUnchecked(): boolean {
    return this.#isUnchecked;
  }

  /** Changes whenever {@link Recipient.row} may mean another device than before: another file, or one set back. */
  get fileNumber(): number {
    return this.#fileNumber;
  }

  /** Calls `listener` at each row that is found damaged. */
  watchDamage(listener: (what: string) => void): void {
    this.#onDamage = listener;
  }

  /** Calls `listener` when changes that were held are lost: the streams are to be read on from the cursors. */
  watchRollBack(listener: () => void): void {
    this.#onRollBack = listener;
  }

  /**
   * Applies records and moves the sites' cursors, in one transaction, or with `hold` in one that stays open: what is
   * read sees it, and the disk gets it with {@link commit}, which costs as much for many as for few. Into a file whose
   * content turns out to be damaged nothing is written: the records are read again when another has taken its place.
   */
  apply(batch: readonly Change[], hold = false): void {
    const isHeld = this.#db.isTransaction;
    try {
      if (!isHeld) {
        this.#countsBefore = this.#counts;
        this.#db.exec('BEGIN IMMEDIATE');
      }
      for (const { record } of batch) if (record) this.#applyOne(record);
      const cursors = new Map<string, StreamCursor>();
      for (const { site, cursor } of batch)
        if (site !== undefined && cursor) cursors.set(site, cursor);
      for (const [site, { created, sequence }] of cursors)
        this.#statements.setCursor.run(site, created, sequence);
      if (!hold) this.commit();
    } catch (error) {
      this.#rollBack();
      if (isHeld) this.#onRollBack();
      this.#unlessCorrupt(error);
    }
  }

  /** Writes what was held. */
  commit(): void {
    if (!this.#db.isTransaction) return;
    this.#writeCounts();
    this.#db.exec('COMMIT');
    this.#isNew = false;
    void this.#shortenLog();
  }

  /** From here on an empty file is filled without a log and without syncing; {@link settle} ends it. */
  beginFilling(): void {
    if (this.path === ':memory:' || !this.#isNew || this.#isFilling) return;
    beginFilling(this.#db);
    this.#isFilling = true;
  }

  /** Brings what was filled in to the disk, in a thread: after this a crash loses no more than in any other replica. */
  async settle(): Promise<void> {
    const db = this.#db;
    if (!this.#isFilling || this.#isCheckpointing) return;
    this.commit();
    endFilling(db);
    this.#isCheckpointing = true;
    try {
      await runReplicaTask({ kind: 'checkpoint', path: this.path });
    } finally {
      this.#isCheckpointing = false;
    }
    if (db !== this.#db || !db.isOpen) return;
    markFilled(db);
    this.#isFilling = false;
  }

  /** Looks, in a thread, at the structure of a file that was too large for it at the start. */
  async check(signal: AbortSignal): Promise<void> {
    const db = this.#db;
    if (!this.#isUnchecked) return;
    try {
      await runReplicaTask({ kind: 'check', path: this.path }, signal);
      if (db === this.#db) this.#isUnchecked = false;
    } catch (error) {
      if (db === this.#db) this.#unlessCorrupt(error);
    }
  }

  cursor(site: string): StreamCursor | undefined {
    const row = this.#statements.cursor.get(site);
    return row && { created: String(row['created']), sequence: Number(row['sequence']) };
  }

  /** The streams are to be read from their beginnings. */
  forgetCursors(): void {
    this.#db.exec('DELETE FROM cursors');
  }

  /** Notes that this file has once held all that the streams hold: with every bus gone it is as good as can be known. */
  markWhole(nowMs: number): void {
    this.#db
      .prepare('UPDATE state SET whole_since = ? WHERE whole_since IS NULL')
      .run(Math.round(nowMs));
  }

  get wasWhole(): boolean {
    return this.#statements.wholeSince.get()?.['whole_since'] !== null;
  }

  /** The newest version held of a device; a tombstone has to be newer. */
  version(deviceId: string): number {
    return this.#find(deviceId, idHash(deviceId))?.version ?? 0;
  }

  /** All active devices. */
  size(): number {
    return this.#counts.active;
  }

  /** How many devices an alert is for, on one transport; `includeProbes` is for a node's own progress. */
  count(filter: RecipientFilter, transport: TransportKind, includeProbes: boolean): number {
    if (filter.kind === 'probes')
      return this.#probes(filter.deviceIds, { transport, shard: 0, shards: 1 }).length;
    const counted = this.#reading(() =>
      countRecipients(filter.reach, transport, includeProbes, this.#statements),
    );
    return counted ?? 0;
  }

  /**
   * One page of a shard's recipients, after `after`, in an order that is the same in every replica. It is the last one
   * when it has fewer than `limit`: only then, or when the file is damaged, does it leave out anybody.
   */
  page(filter: RecipientFilter, at: AudiencePart & { limit: number }): Recipient[] {
    const { from, to } = placeRange(at);
    let after = at.after === '' ? { place: from, h: -1, n: -1 } : this.#position(at);
    if (filter.kind === 'probes')
      return this.#probes(filter.deviceIds, at)
        .filter(({ position }) => isAfter(position, after))
        .slice(0, at.limit)
        .map(({ recipient }) => recipient);
    const recipients: Recipient[] = [];
    const isWholeWalk = isWide(filter.reach);
    for (;;) {
      const limit = at.limit - recipients.length;
      const { sql, values } = recipientQuery(filter.reach, { after, to, limit });
      const rows = this.#reading(() => this.#statements.filter(sql).all(...values)) ?? [];
      for (const raw of rows) {
        const position = { place: Number(raw[0]), h: Number(raw[1]), n: Number(raw[2]) };
        // Who holds several areas of the alert comes several times, one after the other.
        if (!isAfter(position, after)) continue;
        after = position;
        const row = this.#checked(raw, 3);
        if (row && (row.h !== position.h || row.place !== position.place))
          this.#noteDamage('an index leads to another row');
        else if (row && (!isWholeWalk || isInReach(codesIn(row.record), filter.reach)))
          recipients.push(decodeRecipient(row.record, row.n));
      }
      if (rows.length < limit || recipients.length >= at.limit) return recipients;
    }
  }

  /** A device by its id, if it is still active: for a retry. `damaged`: it is there and cannot be read now. */
  recipient(deviceId: string): Recipient | 'damaged' | undefined {
    let isDamaged = this.#damaged;
    const h = idHash(deviceId);
    for (const raw of this.#reading(() => this.#statements.byHash.all(...placesOf(deviceId), h)) ??
      []) {
      const row = this.#checked(raw);
      if (!row) isDamaged = true;
      else if (deviceIdOf(row.record) === deviceId)
        return isActivePlace(row.place) ? decodeRecipient(row.record, row.n) : undefined;
    }
    return isDamaged ? 'damaged' : undefined;
  }

  /** How many devices are known, the removed ones among them: as many as a whole stream has messages. */
  rows(): number {
    return this.#counts.known;
  }

  /** Tombstones that were purged: a stream that is read from its beginning may know less than this file once did. */
  get purged(): number {
    return this.#counts.purged;
  }

  /**
   * Records as the streams hold them, tombstones among them, in the order of their places: those behind `after`
   * (empty: from the first). `last` is what to go on from; absent: there is no more, or the file cannot be read on.
   */
  goodRecords(
    after: string,
    limit: number,
  ): { records: RegistryRecord[]; last: string | undefined } {
    const [place = -1, h = -1, n = -1] = after === '' ? [] : after.split(':').map(Number);
    const rows = this.#reading(() => this.#statements.inOrderOfPlace.all(place, h, n, limit)) ?? [];
    const records = rows.flatMap((raw) => {
      const row = this.#checked(raw);
      return row ? [decodeRecord(row.record, row.version)] : [];
    });
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { records, last: last && `${Number(last[3])}:${Number(last[1])}:${Number(last[0])}` };
  }

  /** Forgets at most `limit` tombstones with a version (ms since 1970) below `beforeMs`. Returns how many. */
  purgeTombstones(beforeMs: number, limit: number): number {
    const done = this.#reading(() => this.#statements.purge.run(Math.round(beforeMs), limit));
    const count = Number(done?.changes ?? 0);
    if (count === 0) return 0;
    const { active, known, purged } = this.#counts;
    this.#counts = { active, known: known - count, purged: purged + count };
    this.#writeCounts();
    return count;
  }

  /**
   * Checks the next `limit` rows, and that each can be found by its areas and by its id. Returns how many were looked
   * at; fewer than `limit` means that the end was reached and the next call begins again.
   */
  scrub(limit: number): number {
    const rows =
      this.#reading(() => this.#statements.inOrderOfArrival.all(this.#scrubbed, limit)) ?? [];
    for (const raw of rows) {
      const row = this.#checked(raw);
      if (row && !this.#isFound(row)) this.#noteDamage('a device is missing from an index');
    }
    this.#scrubbed = rows.length < limit ? 0 : Number(rows.at(-1)?.[0] ?? 0);
    return rows.length;
  }

  /** Copies the file as it stands at one instant, in a thread. */
  async copyTo(path: string): Promise<void> {
    await runReplicaTask({ kind: 'copy', path: this.path, to: path });
  }

  /**
   * Puts a finished replica in this one's place; a damaged file is set aside, another one is dropped. Throws when the
   * files cannot be moved: then whatever is there is used on.
   */
  replaceBy(path: string): void {
    this.#db.close();
    try {
      if (this.#damaged) setReplicaAside(this.path);
      else removeReplica(this.path);
      renameSync(path, this.path);
    } finally {
      const opened = openReplica(this.path, 'none');
      this.#db = opened.db;
      this.#isNew = opened.isNew;
      this.#damaged = opened.isMarkedDamaged;
      this.#isUnchecked = false;
      this.#isFilling = false;
      this.#fileNumber++;
      this.#scrubbed = 0;
      this.#statements = prepareAll(this.#db);
      this.#counts = this.#readCounts();
    }
  }

  close(): void {
    // What is being filled without a log is not worth keeping: the next life begins it anew.
    if (!this.#isFilling) this.commit();
    this.#db.close();
  }

  #readCounts(): Counts {
    const row = this.#statements.counts.get();
    const count = (name: string) => Number(row?.[name] ?? 0);
    return { active: count('active'), known: count('known'), purged: count('purged') };
  }

  #writeCounts(): void {
    const { active, known, purged } = this.#counts;
    this.#statements.setCounts.run(active, known, purged);
  }

  #rollBack(): void {
    if (!this.#db.isTransaction) return;
    this.#db.exec('ROLLBACK');
    this.#counts = this.#countsBefore;
    this.#fileNumber++;
  }

  #applyOne(record: RegistryRecord): void {
    const deviceId = recordDeviceId(record);
    const statements = this.#statements;
    const h = idHash(deviceId);
    const known = this.#find(deviceId, h);
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

  /** The row of a device, as it stands: its checksum is not looked at. */
  #find(deviceId: string, h: number): DeviceRow | undefined {
    for (const raw of this.#reading(() => this.#statements.byHash.all(...placesOf(deviceId), h)) ??
      []) {
      const [n, , version, place, record, checksum] = raw;
      if (typeof record !== 'string' || !isRecordOf(record, deviceId)) continue;
      return {
        n: Number(n),
        h,
        version: Number(version),
        place: Number(place),
        record,
        checksum: Number(checksum),
      };
    }
    return undefined;
  }

  /** The areas under which a device stands in the index. A damaged row does not say: it is taken out of all of them. */
  #areasBefore(known: DeviceRow): readonly string[] {
    if (rowChecksum(known) === known.checksum) return codesIn(known.record);
    this.#statements.dropEverywhere.run(known.n);
    return [];
  }

  #isFound(row: DeviceRow): boolean {
    const { hasArea, hasPlace } = this.#statements;
    const { place, h, n } = row;
    const isThere = (read: () => unknown) => this.#reading(read) !== undefined;
    return (
      isThere(() => hasPlace.get(place, h, n)) &&
      codesIn(row.record).every((code) => isThere(() => hasArea.get(place, code, h, n)))
    );
  }

  /** The named devices that are probes and belong to a part of the audience, in its order. */
  #probes(
    deviceIds: readonly string[],
    part: Omit<AudiencePart, 'after'>,
  ): { recipient: Recipient; position: Position }[] {
    const { from, to } = placeRange(part);
    const found = [...new Set(deviceIds.slice(0, MAX_PROBES))].flatMap((deviceId) => {
      const place = placeOf(deviceId, part.transport);
      if (place < from || place >= to) return [];
      const h = idHash(deviceId);
      return (
        this.#reading(() => this.#statements.byHash.all(...placesOf(deviceId), h)) ?? []
      ).flatMap((raw) => {
        const row = this.#checked(raw);
        if (row?.place !== place || deviceIdOf(row.record) !== deviceId) return [];
        if (!isProbeText(row.record)) return [];
        const recipient = decodeRecipient(row.record, row.n);
        return [{ recipient, position: { place, h, n: row.n } }];
      });
    });
    return found.sort((a, b) => (isAfter(a.position, b.position) ? 1 : -1));
  }

  /** Where to go on: behind a device, or, when this file lacks it, behind where it would stand. */
  #position({ after, transport }: AudiencePart): Position {
    const h = idHash(after);
    return { place: placeOf(after, transport), h, n: this.#find(after, h)?.n ?? -1 };
  }

  #checked(raw: RawRow, at = 0): DeviceRow | undefined {
    const row = checkedRow(raw, at);
    if (!row) this.#noteDamage('a row fails its checksum');
    return row;
  }

  /** Reads; from a file whose content is wrong nothing comes, and it is damaged. */
  #reading<Result>(read: () => Result): Result | undefined {
    try {
      return read();
    } catch (error) {
      this.#unlessCorrupt(error);
      return undefined;
    }
  }

  #unlessCorrupt(error: unknown): void {
    if (!isCorruption(error)) throw error;
    this.#noteDamage('the file is malformed');
  }

  #noteDamage(what: string): void {
    if (!this.#damaged) markDamaged(this.path);
    this.#damaged = true;
    this.#onDamage(what);
  }

  /** Copies a long log into the file, in a thread: its syncing would hold up whatever is to be sent. */
  async #shortenLog(): Promise<void> {
    if (this.#isFilling || this.#isCheckpointing || this.path === ':memory:') return;
    const size = statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (size < LONG_LOG_BYTES) return;
    this.#isCheckpointing = true;
    // A failure (a full disk) is met again by the next commit.
    await runReplicaTask({ kind: 'checkpoint', path: this.path }).catch(() => undefined);
    this.#isCheckpointing = false;
  }
}

function isAfter(a: Position, b: Position): boolean {
  if (a.place !== b.place) return a.place > b.place;
  return a.h !== b.h ? a.h > b.h : a.n > b.n;
}

function isRecordOf(record: string, deviceId: string): boolean {
  return record.startsWith('{') ? deviceIdOf(record) === deviceId : record.startsWith(deviceId);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((code, i) => code === b[i]);
}
