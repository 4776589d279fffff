import { renameSync } from 'node:fs';
import { backup, type DatabaseSync, type StatementSync } from 'node:sqlite';
import { departmentOf } from '../../shared/alert/area.ts';
import type { StreamCursor } from '../../shared/bus/consume.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { RegistryRecord, recordDeviceId } from '../../shared/subscription/registry-record.ts';
import { finestShard } from '../../shared/subscription/shard.ts';
import type { PushAddress } from '../../shared/subscription/subscription.ts';
import { type AudiencePart, type RecipientFilter, recipientQuery } from './recipient-query.ts';
import {
  isCorruption,
  markDamaged,
  openReplica,
  removeReplica,
  setReplicaAside,
} from './replica-file.ts';
import { checkedRow, type DeviceRow, rowChecksum } from './row-checksum.ts';

export type { RecipientFilter } from './recipient-query.ts';

/** One device to be sent to. */
export interface Recipient {
  readonly deviceId: string;
  readonly address: PushAddress;
  readonly language: string;
}

/** How many devices are active, how many are known with the removed ones, and how many tombstones were purged. */
interface Counts {
  active: number;
  known: number;
  purged: number;
}

interface Change {
  readonly site?: string;
  readonly cursor?: StreamCursor;
  readonly record: RegistryRecord | undefined;
}

/** Statements of filters that were asked lately; an alert asks the same ones again and again. */
const KEPT_STATEMENTS = 64;

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
  #damaged: boolean;
  #isNew: boolean;
  #scrubbed = 0;
  #onDamage: (what: string) => void = () => undefined;

  /** Throws what SQLite says when the file is there and cannot be opened for another reason than its content. */
  constructor(path: string) {
    const opened = openReplica(path);
    this.path = path;
    this.setAside = opened.setAside;
    this.#db = opened.db;
    this.#isNew = opened.isNew;
    this.#damaged = opened.isMarkedDamaged;
    this.#statements = prepareAll(this.#db);
    this.#counts = this.#readCounts();
  }

  /** True when the file that was there could not be used and a new one is being filled. */
  get rebuilt(): boolean {
    return this.setAside !== undefined;
  }

  /** Something in the file is not what was written: what is good in it still serves, and it holds not everybody. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /** Nothing has been read into this file yet. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Calls `listener` at each row that is found damaged. */
  watchDamage(listener: (what: string) => void): void {
    this.#onDamage = listener;
  }

  /**
   * Applies records and moves the sites' cursors, in one transaction. Into a file whose content turns out to be damaged
   * nothing is written: the records are read again when another has taken its place.
   */
  apply(batch: readonly Change[]): void {
    const before = { ...this.#counts };
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const { record } of batch) if (record) this.#applyOne(record);
      const cursors = new Map<string, StreamCursor>();
      for (const { site, cursor } of batch)
        if (site !== undefined && cursor) cursors.set(site, cursor);
      for (const [site, { created, sequence }] of cursors)
        this.#statements.setCursor.run(site, created, sequence);
      this.#writeCounts();
      this.#db.exec('COMMIT');
      this.#isNew = false;
    } catch (error) {
      this.#counts = before;
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#unlessCorrupt(error);
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
    return Number(this.#reading(() => this.#statements.version.get(deviceId)?.['version']) ?? 0);
  }

  /** All active devices. */
  size(): number {
    return this.#counts.active;
  }

  /** How many devices an alert is for, on one transport; `includeProbes` is for a node's own progress. */
  count(filter: RecipientFilter, transport: TransportKind, includeProbes: boolean): number {
    const part = { transport, shard: 0, shards: 1, after: '' };
    const { sql, values } = recipientQuery(filter, part, includeProbes);
    const row = this.#reading(() =>
      this.#statements.filter(`SELECT count(*) AS n FROM (${sql})`).get(...values),
    );
    return Number(row?.['n'] ?? 0);
  }

  /**
   * One page of a shard's recipients, after `after`, in an order that is the same in every replica. It is the last one
   * when it has fewer than `limit`: only then, or when the file is damaged, does it leave out anybody.
   */
  page(filter: RecipientFilter, at: AudiencePart & { limit: number }): Recipient[] {
    const recipients: Recipient[] = [];
    let { after } = at;
    for (;;) {
      const missing = at.limit - recipients.length;
      const { sql, values } = recipientQuery(filter, { ...at, after }, true);
      const rows =
        this.#reading(() => this.#statements.filter(pageOf(sql)).all(...values, missing)) ?? [];
      for (const raw of rows) {
        const row = this.#checked(raw);
        if (row && row.device_id !== raw['wanted'])
          this.#noteDamage('an index leads to another row');
        else if (row && row.active === 1) recipients.push(toRecipient(row));
      }
      after = String(rows.at(-1)?.['wanted'] ?? '');
      if (rows.length < missing || recipients.length >= at.limit) return recipients;
    }
  }

  /** A device by its id, if it is still active: for a retry. `damaged`: it is there and cannot be read now. */
  recipient(deviceId: string): Recipient | 'damaged' | undefined {
    const raw = this.#reading(() => this.#statements.device.get(deviceId));
    if (raw === undefined) return this.#damaged ? 'damaged' : undefined;
    const row = this.#checked(raw);
    if (!row) return 'damaged';
    return row.active === 1 ? toRecipient(row) : undefined;
  }

  /** How many devices are known, the removed ones among them: as many as a whole stream has messages. */
  rows(): number {
    return this.#counts.known;
  }

  /** Tombstones that were purged: a stream that is read from its beginning may know less than this file once did. */
  get purged(): number {
    return this.#counts.purged;
  }

  /** Records as the streams hold them, tombstones among them, in the order of their ids after `after`. */
  records(after: string, limit: number): RegistryRecord[] {
    return this.goodRecords(after, limit).records;
  }

  /** The same, with the id to go on from; absent: there is no more, or the file cannot be read on. */
  goodRecords(
    after: string,
    limit: number,
  ): { records: RegistryRecord[]; last: string | undefined } {
    const rows = this.#reading(() => this.#statements.records.all(after, limit)) ?? [];
    const records = rows.flatMap((raw) => {
      const row = this.#checked(raw);
      return row ? [RegistryRecord.parse(JSON.parse(row.record))] : [];
    });
    const last = rows.length < limit ? undefined : rows.at(-1)?.['device_id'];
    return { records, last: typeof last === 'string' ? last : undefined };
  }

  /** Forgets at most `limit` tombstones with a version (ms since 1970) below `beforeMs`. Returns how many. */
  purgeTombstones(beforeMs: number, limit: number): number {
    const done = this.#reading(() => this.#statements.purge.run(Math.round(beforeMs), limit));
    const count = Number(done?.changes ?? 0);
    if (count === 0) return 0;
    this.#counts.purged += count;
    this.#counts.known -= count;
    this.#writeCounts();
    return count;
  }

  /**
   * Checks the next `limit` rows, and that each can be found by its areas. Returns how many were looked at; fewer than
   * `limit` means that the end was reached and the next call begins again.
   */
  scrub(limit: number): number {
    const rows = this.#reading(() => this.#statements.scrub.all(this.#scrubbed, limit)) ?? [];
    for (const raw of rows) {
      const row = this.#checked(raw);
      if (row && row.active === 1 && !this.#isFoundByItsAreas(row))
        this.#noteDamage('a device is missing from an area');
    }
    this.#scrubbed = rows.length < limit ? 0 : Number(rows.at(-1)?.['n'] ?? 0);
    return rows.length;
  }

  /** Copies the file as it stands at one instant, without stopping anything for long. */
  async copyTo(path: string): Promise<void> {
    await backup(this.#db, path, { rate: 1_000 });
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
      const opened = openReplica(this.path, true);
      this.#db = opened.db;
      this.#isNew = opened.isNew;
      this.#damaged = opened.isMarkedDamaged;
      this.#scrubbed = 0;
      this.#statements = prepareAll(this.#db);
      this.#counts = this.#readCounts();
    }
  }

  close(): void {
    this.#db.close();
  }

  #readCounts(): Counts {
    const row = this.#db.prepare('SELECT active, known, purged FROM state').get();
    const count = (name: string) => Number(row?.[name] ?? 0);
    return { active: count('active'), known: count('known'), purged: count('purged') };
  }

  #writeCounts(): void {
    const { active, known, purged } = this.#counts;
    this.#statements.setCounts.run(active, known, purged);
  }

  #applyOne(record: RegistryRecord): void {
    const deviceId = recordDeviceId(record);
    const statements = this.#statements;
    const held = statements.version.get(deviceId)?.['version'];
    if (held !== undefined && record.version <= Number(held)) return;
    const known = held === undefined ? undefined : statements.device.get(deviceId);
    const row = toRow(deviceId, record);
    if (known) this.#dropAreas(known);
    const wasActive = known?.['active'] === 1 ? 1 : 0;
    const values = [row.version, row.active, row.transport, row.shard, row.probe, row.record];
    const checksum = rowChecksum(row);
    const n = known
      ? Number(known['n'])
      : Number(statements.insert.run(deviceId, ...values, checksum).lastInsertRowid);
    if (known) statements.update.run(...values, checksum, n);
    this.#counts.active += row.active - wasActive;
    if (!known) this.#counts.known++;
    if (record.state === 'removed') return;
    for (const code of new Set(record.subscription.areaCodes))
      statements.addArea.run(code, row.transport, row.shard, deviceId, n, departmentOf(code));
  }

  #dropAreas(known: Record<string, unknown>): void {
    if (known['active'] !== 1) return;
    const row = checkedRow(known);
    // What a damaged row says of its areas means nothing: every area is looked through for it.
    if (!row) this.#statements.dropEverywhere.run(String(known['device_id']));
    else
      for (const code of areasOf(row))
        this.#statements.dropArea.run(code, row.transport, row.shard, row.device_id);
  }

  #isFoundByItsAreas(row: DeviceRow): boolean {
    return [...new Set(areasOf(row))].every(
      (code) =>
        this.#reading(() =>
          this.#statements.hasArea.get(code, row.transport, row.shard, row.device_id, row.n),
        ) !== undefined,
    );
  }

  #checked(raw: unknown): DeviceRow | undefined {
    const row = checkedRow(raw);
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
}

type Statements = ReturnType<typeof prepareAll>;

/** Everything that is asked more than now and then, prepared once for each file. */
function prepareAll(db: DatabaseSync) {
  const filters = new Map<string, StatementSync>();
  const area = 'code = ? AND transport = ? AND shard = ? AND device_id = ?';
  return {
    device: db.prepare('SELECT * FROM devices WHERE device_id = ?'),
    version: db.prepare('SELECT version FROM devices WHERE device_id = ?'),
    records: db.prepare('SELECT * FROM devices WHERE device_id > ? ORDER BY device_id LIMIT ?'),
    scrub: db.prepare('SELECT * FROM devices WHERE n > ? ORDER BY n LIMIT ?'),
    insert: db.prepare('INSERT INTO devices VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)'),
    update: db.prepare(
      'UPDATE devices SET version = ?, active = ?, transport = ?, shard = ?, probe = ?, record = ?, checksum = ? WHERE n = ?',
    ),
    addArea: db.prepare('REPLACE INTO device_areas VALUES (?, ?, ?, ?, ?, ?)'),
    dropArea: db.prepare(`DELETE FROM device_areas WHERE ${area}`),
    dropEverywhere: db.prepare('DELETE FROM device_areas WHERE device_id = ?'),
    hasArea: db.prepare(`SELECT 1 FROM device_areas WHERE ${area} AND n = ?`),
    cursor: db.prepare('SELECT created, sequence FROM cursors WHERE site = ?'),
    setCursor: db.prepare('REPLACE INTO cursors VALUES (?, ?, ?)'),
    setCounts: db.prepare('UPDATE state SET active = ?, known = ?, purged = ?'),
    wholeSince: db.prepare('SELECT whole_since FROM state'),
    purge: db.prepare(
      'DELETE FROM devices WHERE n IN (SELECT n FROM devices WHERE active = 0 AND version < ? ORDER BY version LIMIT ?)',
    ),
    filter: (sql: string): StatementSync => {
      const kept = filters.get(sql) ?? db.prepare(sql);
      if (filters.size >= KEPT_STATEMENTS) filters.clear();
      filters.set(sql, kept);
      return kept;
    },
  };
}

/** The rows behind a query of {@link recipientQuery}, in its order. */
function pageOf(sql: string): string {
  return `SELECT d.*, p.device_id AS wanted FROM (${sql} LIMIT ?) p LEFT JOIN devices d ON d.n = p.n ORDER BY p.shard, p.device_id`;
}

function toRow(deviceId: string, record: RegistryRecord): Omit<DeviceRow, 'n' | 'checksum'> {
  const isActive = record.state === 'active';
  return {
    device_id: deviceId,
    version: record.version,
    active: isActive ? 1 : 0,
    transport: isActive ? record.subscription.address.transport : '',
    shard: finestShard(deviceId),
    probe: isActive && record.probe ? 1 : 0,
    record: JSON.stringify(record),
  };
}

/** A row that passed its checksum holds what was parsed before it was written. */
function toRecipient(row: DeviceRow): Recipient {
  const { subscription } = JSON.parse(row.record) as RegistryRecord & { state: 'active' };
  const { address, language } = subscription;
  return { deviceId: row.device_id, address, language };
}

function areasOf(row: DeviceRow): readonly string[] {
  const record = JSON.parse(row.record) as RegistryRecord;
  return record.state === 'active' ? record.subscription.areaCodes : [];
}
