import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

/** The most records that wait for lagging sites; the oldest fall out (the other sites have them). */
const MAX_WAITING = 200_000;

const Row = z.object({ device_id: z.string(), version: z.number(), record: z.string() });
const Count = z.object({ n: z.number() });

export interface WaitingRecord {
  readonly deviceId: string;
  readonly version: number;
  /** The record as JSON. */
  readonly data: string;
}

/**
 * Registry records that some site has not acknowledged, kept over a restart: one for each device and site, the newest.
 * It is a convenience for the lagging site; the truth stands at the sites that did acknowledge.
 */
export interface Outbox {
  /** Returns how many old ones fell out. */
  readonly put: (site: string, waiting: WaitingRecord) => number;
  /** The oldest records that a site still has to get. */
  readonly next: (site: string, limit: number) => WaitingRecord[];
  /** The site has this version or a newer one. */
  readonly settled: (site: string, deviceId: string, version: number) => void;
  readonly size: () => number;
  readonly close: () => void;
}

/** Opens the outbox in a folder, which is made where it is missing. */
export function openOutbox(folder: string, maxWaiting = MAX_WAITING): Outbox {
  mkdirSync(folder, { recursive: true });
  const db = new DatabaseSync(join(folder, 'edge-outbox.sqlite'));
  // A power cut may lose the last rows: the registration is safe at the site that acknowledged it.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000');
  db.exec(`CREATE TABLE IF NOT EXISTS waiting (
    site TEXT NOT NULL, device_id TEXT NOT NULL, version INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (site, device_id)) WITHOUT ROWID`);
  db.exec('CREATE INDEX IF NOT EXISTS waiting_by_version ON waiting (site, version)');
  const insert = db.prepare(`INSERT INTO waiting VALUES (?, ?, ?, ?) ON CONFLICT (site, device_id)
    DO UPDATE SET version = excluded.version, record = excluded.record WHERE excluded.version > version`);
  const select = db.prepare(
    'SELECT device_id, version, record FROM waiting WHERE site = ? ORDER BY version LIMIT ?',
  );
  const remove = db.prepare(
    'DELETE FROM waiting WHERE site = ? AND device_id = ? AND version <= ?',
  );
  const count = db.prepare('SELECT count(*) AS n FROM waiting');
  const trim = db.prepare(`DELETE FROM waiting WHERE (site, device_id) IN
    (SELECT site, device_id FROM waiting ORDER BY version LIMIT ?)`);
  let size = Count.parse(count.get()).n;
  return {
    put: (site, { deviceId, version, data }) => {
      insert.run(site, deviceId, version, data);
      size = Count.parse(count.get()).n;
      const excess = Math.max(0, size - maxWaiting);
      if (excess > 0) {
        trim.run(excess);
        size -= excess;
      }
      return excess;
    },
    next: (site, limit) =>
      z
        .array(Row)
        .parse(select.all(site, limit))
        .map((row) => ({ deviceId: row.device_id, version: row.version, data: row.record })),
    settled: (site, deviceId, version) => {
      size -= Number(remove.run(site, deviceId, version).changes);
    },
    size: () => size,
    close: () => db.close(),
  };
}
