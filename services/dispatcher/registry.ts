import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { z } from 'zod';
import { departmentOf, type Reach } from '../../shared/alert/area.ts';
import type { StreamCursor } from '../../shared/bus/consume.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { RegistryRecord, recordDeviceId } from '../../shared/subscription/registry-record.ts';
import { finestRange, finestShard } from '../../shared/subscription/shard.ts';
import { PushAddress } from '../../shared/subscription/subscription.ts';

/** One device to be sent to. */
export interface Recipient {
  readonly deviceId: string;
  readonly address: PushAddress;
  readonly language: string;
}

/** Which devices an alert is for: everybody in reach and every probe, or (a canary) just these probes. */
export type RecipientFilter =
  | { readonly kind: 'public'; readonly reach: Reach }
  | { readonly kind: 'probes'; readonly deviceIds: readonly string[] };

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS devices (
    device_id TEXT PRIMARY KEY, version INTEGER NOT NULL, active INTEGER NOT NULL, transport TEXT NOT NULL,
    address TEXT NOT NULL, language TEXT NOT NULL, shard INTEGER NOT NULL, probe INTEGER NOT NULL, rest TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS probes ON devices (probe, transport, shard) WHERE probe = 1;
  CREATE TABLE IF NOT EXISTS device_areas (
    code TEXT NOT NULL, transport TEXT NOT NULL, shard INTEGER NOT NULL, device_id TEXT NOT NULL, department TEXT NOT NULL,
    PRIMARY KEY (code, transport, shard, device_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS by_department ON device_areas (department, transport, shard, device_id);
  CREATE INDEX IF NOT EXISTS by_device ON device_areas (device_id);
  CREATE TABLE IF NOT EXISTS whole (since INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS cursors (site TEXT PRIMARY KEY, created TEXT NOT NULL, sequence INTEGER NOT NULL) STRICT;
`;

/** What a record holds beside what the replica needs to be asked for: kept to give the record back to a stream. */
const Rest = z.object({
  appVersion: z.string().optional(),
  lastHeardAt: z.string().optional(),
  secretHash: z.string().optional(),
  reason: z.string().optional(),
});

const RecipientRow = z.object({ device_id: z.string(), address: z.string(), language: z.string() });

/** A canary never reaches more devices than this, whatever it names. */
const MAX_PROBES = 50;

/**
 * This node's full replica of the registry, in a local SQLite file: at alert time nothing outside is asked. It is filled
 * from every site's REGISTRY stream; of one device's records the one with the highest version wins, so order and site
 * do not matter.
 */
export class Registry {
  readonly #db: DatabaseSync;
  /** True when the file that was there could not be read and a new one is being filled from the streams. */
  readonly rebuilt: boolean;

  constructor(path: string) {
    const opened = openOrSetAside(path);
    this.#db = opened.db;
    this.rebuilt = opened.rebuilt;
    this.#db.exec(SCHEMA);
    this.#addRest();
  }

  /** Applies records and moves the sites' cursors, in one transaction. */
  apply(
    batch: readonly { site?: string; cursor?: StreamCursor; record: RegistryRecord | undefined }[],
  ): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const { site, cursor, record } of batch) {
        if (record) this.#applyOne(record);
        if (site !== undefined && cursor) this.#moveCursor(site, cursor);
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  cursor(site: string): StreamCursor | undefined {
    const row = this.#db.prepare('SELECT created, sequence FROM cursors WHERE site = ?').get(site);
    return row === undefined
      ? undefined
      : { created: String(row['created']), sequence: Number(row['sequence']) };
  }

  /** Notes that this file has once held all that the streams hold: with every bus gone it is as good as can be known. */
  markWhole(nowMs: number): void {
    if (!this.wasWhole) this.#db.prepare('INSERT INTO whole VALUES (?)').run(nowMs);
  }

  get wasWhole(): boolean {
    return this.#db.prepare('SELECT 1 FROM whole').get() !== undefined;
  }

  /** The newest version held of a device; a tombstone has to be newer. */
  version(deviceId: string): number {
    return Number(
      this.#db.prepare('SELECT version FROM devices WHERE device_id = ?').get(deviceId)?.[
        'version'
      ] ?? 0,
    );
  }

  /** All active devices. */
  size(): number {
    return Number(
      this.#db.prepare('SELECT count(*) AS n FROM devices WHERE active = 1').get()?.['n'] ?? 0,
    );
  }

  /** How many devices an alert is for, on one transport; `includeProbes` is for a node's own progress. */
  count(filter: RecipientFilter, transport: TransportKind, includeProbes: boolean): number {
    const { sql, values } = recipientQuery(filter, includeProbes);
    const row = this.#db
      .prepare(`SELECT count(*) AS n FROM (${sql})`)
      .get(...values({ transport, from: 0, to: 1024, after: '' }));
    return Number(row?.['n'] ?? 0);
  }

  /** One page of a shard's recipients, in the order of their ids, after `after`. */
  page(
    filter: RecipientFilter,
    at: { transport: TransportKind; shard: number; shards: number; after: string; limit: number },
  ): Recipient[] {
    const { sql, values } = recipientQuery(filter, true);
    const { from, to } = finestRange(at.shard, at.shards);
    return this.#db
      .prepare(
        `SELECT device_id, address, language FROM devices WHERE device_id IN (${sql}) ORDER BY device_id LIMIT ?`,
      )
      .all(...values({ transport: at.transport, from, to, after: at.after }), at.limit)
      .map(toRecipient);
  }

  /** A device by its id, if it is still active: for a retry. */
  recipient(deviceId: string): Recipient | undefined {
    const row = this.#db
      .prepare(
        'SELECT device_id, address, language FROM devices WHERE device_id = ? AND active = 1',
      )
      .get(deviceId);
    return row === undefined ? undefined : toRecipient(row);
  }

  /** How many devices are known, the removed ones among them: as many as a whole stream has messages. */
  rows(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM devices').get()?.['n'] ?? 0);
  }

  /** Records as the streams hold them, tombstones among them, in the order of their ids after `after`. */
  records(after: string, limit: number): RegistryRecord[] {
    const areas = this.#db.prepare(
      'SELECT code FROM device_areas WHERE device_id = ? ORDER BY code',
    );
    return this.#db
      .prepare(
        'SELECT * FROM devices WHERE device_id > ? AND rest IS NOT NULL ORDER BY device_id LIMIT ?',
      )
      .all(after, limit)
      .map((row) =>
        fromRow(row, () => areas.all(String(row['device_id'])).map(({ code }) => String(code))),
      );
  }

  close(): void {
    this.#db.close();
  }

  /** A file of an earlier version lacks what only the streams need: it is read from them again. */
  #addRest(): void {
    const columns = this.#db.prepare('PRAGMA table_info(devices)').all();
    if (columns.some(({ name }) => name === 'rest')) return;
    this.#db.exec('ALTER TABLE devices ADD COLUMN rest TEXT; DELETE FROM cursors;');
  }

  #isNews(deviceId: string, version: number): boolean {
    const known = this.#db
      .prepare('SELECT version, rest FROM devices WHERE device_id = ?')
      .get(deviceId);
    if (known === undefined) return true;
    const held = Number(known['version']);
    return version > held || (version === held && known['rest'] === null);
  }

  #applyOne(record: RegistryRecord): void {
    const deviceId = recordDeviceId(record);
    if (!this.#isNews(deviceId, record.version)) return;
    this.#db.prepare('DELETE FROM device_areas WHERE device_id = ?').run(deviceId);
    const shard = finestShard(deviceId);
    if (record.state === 'removed') {
      this.#db
        .prepare("REPLACE INTO devices VALUES (?, ?, 0, '', '', '', ?, 0, ?)")
        .run(deviceId, record.version, shard, JSON.stringify({ reason: record.reason }));
      return;
    }
    const { address, areaCodes, language, appVersion } = record.subscription;
    const rest = { appVersion, lastHeardAt: record.lastHeardAt, secretHash: record.secretHash };
    this.#db
      .prepare('REPLACE INTO devices VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)')
      .run(
        ...[deviceId, record.version, address.transport, JSON.stringify(address)],
        ...[language, shard, record.probe ? 1 : 0, JSON.stringify(rest)],
      );
    const insert = this.#db.prepare('REPLACE INTO device_areas VALUES (?, ?, ?, ?, ?)');
    for (const code of areaCodes)
      insert.run(code, address.transport, shard, deviceId, departmentOf(code));
  }

  #moveCursor(site: string, cursor: StreamCursor): void {
    this.#db
      .prepare('REPLACE INTO cursors VALUES (?, ?, ?)')
      .run(site, cursor.created, cursor.sequence);
  }
}

interface Bounds {
  readonly transport: TransportKind;
  readonly from: number;
  readonly to: number;
  readonly after: string;
}

/** The ids of those an alert is for, as SQL and its values. */
function recipientQuery(
  filter: RecipientFilter,
  includeProbes: boolean,
): { sql: string; values: (bounds: Bounds) => SQLInputValue[] } {
  const probes =
    'SELECT device_id FROM devices WHERE probe = 1 AND transport = ? AND shard >= ? AND shard < ? AND device_id > ?';
  const bounds = ({ transport, from, to, after }: Bounds): SQLInputValue[] => [
    transport,
    from,
    to,
    after,
  ];
  if (filter.kind === 'probes') {
    const ids = filter.deviceIds.slice(0, MAX_PROBES);
    return {
      sql: `${probes} AND active = 1 AND device_id IN (${placeholders(ids.length)})`,
      values: (at) => [...bounds(at), ...ids],
    };
  }
  const { codes, departments } = filter.reach;
  const where = 'transport = ? AND shard >= ? AND shard < ? AND device_id > ?';
  const byCode = `SELECT device_id FROM device_areas WHERE ${where} AND code IN (${placeholders(codes.length)})`;
  const byDepartment = `SELECT device_id FROM device_areas WHERE ${where} AND department IN (${placeholders(departments.length)})`;
  return {
    sql: [byCode, byDepartment, ...(includeProbes ? [probes] : [])].join(' UNION '),
    values: (at) => [
      ...[...bounds(at), ...codes],
      ...[...bounds(at), ...departments],
      ...(includeProbes ? bounds(at) : []),
    ],
  };
}

function placeholders(count: number): string {
  return Array.from({ length: count }, () => '?').join(',');
}

function toRecipient(row: unknown): Recipient {
  const parsed = RecipientRow.parse(row);
  return {
    deviceId: parsed.device_id,
    address: PushAddress.parse(JSON.parse(parsed.address)),
    language: parsed.language,
  };
}

/** A row and the areas beside it → the record that it was made of. */
function fromRow(row: Record<string, unknown>, areaCodes: () => string[]): RegistryRecord {
  const deviceId = row['device_id'];
  const { appVersion, ...rest } = Rest.parse(JSON.parse(String(row['rest'])));
  const common = { v: 1, version: row['version'] };
  if (row['active'] !== 1)
    return RegistryRecord.parse({ ...common, state: 'removed', deviceId, ...rest });
  return RegistryRecord.parse({
    ...common,
    state: 'active',
    probe: row['probe'] === 1,
    subscription: {
      deviceId,
      address: JSON.parse(String(row['address'])),
      areaCodes: areaCodes(),
      language: row['language'],
      appVersion,
    },
    ...rest,
  });
}

/** Opens the replica; a file that fails SQLite's own check is set aside and a new one begun. */
function openOrSetAside(path: string): { db: DatabaseSync; rebuilt: boolean } {
  try {
    return { db: openChecked(path), rebuilt: false };
  } catch {
    renameSync(path, `${path}.corrupt`);
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    return { db: openChecked(path), rebuilt: true };
  }
}

function openChecked(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;');
    const check = db.prepare('PRAGMA quick_check(1)').get();
    if (check?.['quick_check'] !== 'ok') throw new Error('replica fails its check');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
