import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { TRANSPORTS, type TransportKind } from '../../shared/envelope/envelope.ts';
import { DeviceId } from '../../shared/subscription/subscription.ts';

/** More than this fall out, the oldest first: they stay subscribed, which is the safe side. */
const MAX_DEVICES = 2_000_000;
/** Ids in an answer: the list is to be judged, not to be copied. */
const SHOWN = 100;

const Row = z.object({
  device_id: z.string(),
  transport: z.enum(TRANSPORTS),
  at: z.int(),
  version: z.int(),
});

export interface Quarantined {
  readonly deviceId: string;
  readonly transport: TransportKind;
  /** When its provider called it gone (ms since 1970). */
  readonly atMs: number;
  /** The version of its subscription then: who has registered again since is not meant any more. */
  readonly version: number;
}

/** Which of them: of one transport, or called gone before an instant (ms). */
export interface QuarantineFilter {
  readonly transport?: TransportKind | undefined;
  readonly beforeMs?: number | undefined;
}

/** What `POST /v1/quarantine` takes. */
export const QuarantineRequest = z.strictObject({
  /** `release`: the provider was wrong, they are subscribers like all others. `drop`: it was right, remove them. */
  action: z.enum(['release', 'drop']),
  transport: z.enum(TRANSPORTS).optional(),
  /** Only those called gone before this instant. */
  olderThan: z.iso.datetime().optional(),
});
export type QuarantineRequest = z.infer<typeof QuarantineRequest>;

/** What `GET /v1/quarantine` answers. */
export interface QuarantineAnswer {
  readonly v: 1;
  readonly node: string;
  readonly transports: readonly {
    readonly transport: TransportKind;
    readonly count: number;
    readonly oldest: string;
    readonly newest: string;
  }[];
  /** The newest of them. */
  readonly devices: readonly {
    readonly deviceId: string;
    readonly transport: TransportKind;
    readonly at: string;
  }[];
}

/**
 * Devices that providers called gone in a storm (P9): they are sent to as before, and a human judges. In a file of its
 * own, which outlives a replica that is filled anew.
 */
export class Quarantine {
  readonly #db: DatabaseSync;
  readonly #maxDevices: number;
  #size: number;

  constructor(path: string, maxDevices = MAX_DEVICES) {
    this.#db = new DatabaseSync(path);
    this.#maxDevices = maxDevices;
    this.#db.exec(`PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS quarantine (device_id TEXT PRIMARY KEY, transport TEXT NOT NULL, at INTEGER NOT NULL,
        version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS by_time ON quarantine (at);`);
    this.#size = this.#count();
  }

  get size(): number {
    return this.#size;
  }

  put(devices: readonly Quarantined[]): void {
    const insert = this.#db.prepare('REPLACE INTO quarantine VALUES (?, ?, ?, ?)');
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const { deviceId, transport, atMs, version } of devices)
        insert.run(deviceId, transport, Math.round(atMs), version);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
    this.#size = this.#count();
    if (this.#size > this.#maxDevices) this.#takeOldest(this.#size - this.#maxDevices);
  }

  /** The provider took a message for it: it is not gone. Asked after every send, so it costs nothing while nobody is here. */
  accepted(deviceId: string): void {
    if (this.#size === 0) return;
    const { changes } = this.#db
      .prepare('DELETE FROM quarantine WHERE device_id = ?')
      .run(deviceId);
    this.#size -= Number(changes);
  }

  /** Takes at most `limit` of them out, the oldest first. */
  take(filter: QuarantineFilter, limit: number): Quarantined[] {
    const rows = this.#db
      .prepare(
        `DELETE FROM quarantine WHERE device_id IN (SELECT device_id FROM quarantine
           WHERE (?1 IS NULL OR transport = ?1) AND (?2 IS NULL OR at < ?2) ORDER BY at LIMIT ?3) RETURNING *`,
      )
      .all(filter.transport ?? null, filter.beforeMs ?? null, limit);
    this.#size -= rows.length;
    return rows.map((raw) => {
      const row = Row.parse(raw);
      return {
        deviceId: row.device_id,
        transport: row.transport,
        atMs: row.at,
        version: row.version,
      };
    });
  }

  counts(): { transport: TransportKind; count: number; oldestMs: number; newestMs: number }[] {
    return this.#db
      .prepare(
        'SELECT transport, count(*) AS n, min(at) AS oldest, max(at) AS newest FROM quarantine GROUP BY transport ORDER BY 1',
      )
      .all()
      .map((row) => ({
        transport: z.enum(TRANSPORTS).parse(row['transport']),
        count: Number(row['n']),
        oldestMs: Number(row['oldest']),
        newestMs: Number(row['newest']),
      }));
  }

  list(node: string): QuarantineAnswer {
    const iso = (ms: number) => new Date(ms).toISOString();
    return {
      v: 1,
      node,
      transports: this.counts().map(({ transport, count, oldestMs, newestMs }) => ({
        transport,
        count,
        oldest: iso(oldestMs),
        newest: iso(newestMs),
      })),
      devices: this.#db
        .prepare('SELECT * FROM quarantine ORDER BY at DESC LIMIT ?')
        .all(SHOWN)
        .map((raw) => {
          const row = Row.parse(raw);
          return {
            deviceId: DeviceId.parse(row.device_id),
            transport: row.transport,
            at: iso(row.at),
          };
        }),
    };
  }

  close(): void {
    this.#db.close();
  }

  #count(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM quarantine').get()?.['n'] ?? 0);
  }

  #takeOldest(count: number): void {
    this.take({}, count);
  }
}
