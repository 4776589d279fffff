import { randomBytes } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { Audience } from '../../shared/alert/audience.ts';
import { Lane } from '../../shared/envelope/envelope.ts';
import { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';

/** How an alert came: by a lane from ingest, or from a peer that had it. */
export type Arrival = Lane | 'peer';

/**
 * - `open`: to be sent by this node; `done`: sent and confirmed; `expired`, `cancelled`: ended before that;
 * - `journaled`: kept for the record and for peers, never sent by this node (came too late, or is another node's canary).
 */
export type JournalState = 'open' | 'done' | 'expired' | 'cancelled' | 'journaled';

export interface JournalEntry {
  readonly seq: number;
  readonly id: string;
  readonly jws: string;
  readonly contentHash: string;
  readonly audience: Audience;
  readonly receivedAtMs: number;
  readonly expiresAtMs: number;
  readonly state: JournalState;
  readonly arrivals: readonly Arrival[];
}

const Row = z.object({
  seq: z.int(),
  id: z.string(),
  jws: z.string(),
  content_hash: z.string(),
  audience: z.enum(['public', 'canary']),
  received_at: z.int(),
  expires_at: z.int(),
  state: z.enum(['open', 'done', 'expired', 'cancelled', 'journaled']),
  arrivals: z.string(),
});
const Arrivals = z.array(z.union([Lane, z.literal('peer')]));

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS alerts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, jws TEXT NOT NULL, content_hash TEXT NOT NULL,
    audience TEXT NOT NULL, received_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, state TEXT NOT NULL, arrivals TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS ended (id TEXT PRIMARY KEY, by_id TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS cancels (id TEXT PRIMARY KEY, sent INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS receipts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, alert_id TEXT NOT NULL, transport TEXT NOT NULL, shard INTEGER NOT NULL,
    node TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (alert_id, transport, shard, node)
  ) STRICT;
`;

const KEEP_PUBLIC_MS = 8 * 24 * 3600 * 1000;
const KEEP_CANARY_MS = 3600 * 1000;

/** Pages of what peers ask for; an envelope has at most 512 KB. */
const PAGE_ALERTS = 50;
const PAGE_RECEIPTS = 500;
/** Each half of a page ends with the row that reaches this: the whole stays within the 4 MB that a peer reads. */
const PAGE_BYTES = 1_300_000;

/** What a peer has read so far: the last alert and the last receipt. */
export interface JournalCursor {
  readonly alerts: number;
  readonly receipts: number;
}

/**
 * Receipts are synced together: with 52 alerts at once, each shard's own sync held up the sends of all. One that a crash
 * takes with it is a shard sent again, never one left out.
 */
const RECEIPTS_TOGETHER_MS = 20;

/**
 * The node's own record of alerts and receipts. Alerts are synced to disk on every write: what `stored` in an intake
 * answer means. It holds more than the bus needs to be asked for, so a node can serve its peers with the bus gone.
 */
export class Journal {
  readonly #db: DatabaseSync;
  readonly #onReceiptsLost: (error: unknown) => void;
  readonly #addReceipt: StatementSync;
  #together: NodeJS.Timeout | undefined;
  /** Made with the file: a peer that kept a cursor of an earlier file begins anew. */
  readonly id: string;

  /** `onReceiptsLost`: receipts that were taken could not be written (the disk is full, or worse). */
  constructor(path: string, onReceiptsLost: (error: unknown) => void = () => undefined) {
    this.#onReceiptsLost = onReceiptsLost;
    this.#db = new DatabaseSync(path);
    this.#db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000;',
    );
    this.#db.exec(SCHEMA);
    this.#db
      .prepare('INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)')
      .run(randomBytes(8).toString('hex'));
    this.id = String(this.#db.prepare('SELECT id FROM identity').get()?.['id']);
    this.#addReceipt = this.#db.prepare(
      `REPLACE INTO receipts (alert_id, transport, shard, node, revision, body) SELECT ?, ?, ?, ?, ?, ?
       WHERE NOT EXISTS (SELECT 1 FROM receipts WHERE alert_id = ? AND transport = ? AND shard = ? AND node = ? AND revision >= ?)`,
    );
  }

  find(id: string): JournalEntry | undefined {
    const row = this.#db.prepare('SELECT * FROM alerts WHERE id = ?').get(id);
    return row === undefined ? undefined : toEntry(row);
  }

  /** Writes a new alert; on disk when it returns. */
  insert(entry: Omit<JournalEntry, 'seq'>): void {
    this.#syncReceipts();
    this.#db
      .prepare(
        'INSERT INTO alerts (id, jws, content_hash, audience, received_at, expires_at, state, arrivals) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        entry.id,
        entry.jws,
        entry.contentHash,
        entry.audience,
        entry.receivedAtMs,
        entry.expiresAtMs,
        entry.state,
        JSON.stringify(entry.arrivals),
      );
  }

  noteArrival(id: string, arrivals: readonly Arrival[]): void {
    this.#syncReceipts();
    this.#db
      .prepare('UPDATE alerts SET arrivals = ? WHERE id = ?')
      .run(JSON.stringify(arrivals), id);
  }

  setState(id: string, state: JournalState): void {
    this.#syncReceipts();
    this.#db.prepare('UPDATE alerts SET state = ? WHERE id = ?').run(state, id);
  }

  /** Public alerts that this node has not finished. A canary that was cut short is the next round's matter. */
  open(): JournalEntry[] {
    return this.#db
      .prepare("SELECT * FROM alerts WHERE state = 'open' AND audience = 'public' ORDER BY seq")
      .all()
      .map(toEntry);
  }

  /** Public alerts that still matter, oldest first: neither expired nor ended by another one. */
  valid(nowMs: number, limit: number): JournalEntry[] {
    return this.#db
      .prepare(
        `SELECT * FROM alerts WHERE audience = 'public' AND expires_at > ? AND state != 'cancelled'
         AND id NOT IN (SELECT id FROM ended) ORDER BY seq LIMIT ?`,
      )
      .all(nowMs, limit)
      .map(toEntry);
  }

  /** Closes what ended while this node was away. */
  expireOpen(nowMs: number): void {
    this.#syncReceipts();
    this.#db
      .prepare("UPDATE alerts SET state = 'expired' WHERE state = 'open' AND expires_at <= ?")
      .run(nowMs);
  }

  /** Notes that an alert is over because of another one, also before the first has come. */
  end(id: string, byId: string, nowMs: number): void {
    this.#syncReceipts();
    this.#db
      .prepare('INSERT OR IGNORE INTO ended (id, by_id, at) VALUES (?, ?, ?)')
      .run(id, byId, nowMs);
  }

  isEnded(id: string): boolean {
    return this.#db.prepare('SELECT 1 FROM ended WHERE id = ?').get(id) !== undefined;
  }

  /** When it became known that another alert ended this one. */
  endedAtMs(id: string): number | undefined {
    const row = this.#db.prepare('SELECT at FROM ended WHERE id = ?').get(id);
    return row === undefined ? undefined : Number(row['at']);
  }

  /** Notes when the latest Cancel of an alert was sent: it also ends Updates of it that its sender did not know. */
  noteCancel(id: string, sentMs: number, nowMs: number): void {
    this.#syncReceipts();
    this.#db
      .prepare(
        'INSERT INTO cancels VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET sent = max(sent, excluded.sent)',
      )
      .run(id, sentMs, nowMs);
  }

  /** A Cancel that was sent at or after `sentMs` is about one of these alerts. */
  isCancelled(ids: readonly string[], sentMs: number): boolean {
    const find = this.#db.prepare('SELECT 1 FROM cancels WHERE id = ? AND sent >= ?');
    return ids.some((id) => find.get(id, sentMs) !== undefined);
  }

  /**
   * Keeps a receipt unless a newer one of the same node and shard is there. Returns whether it was news. It is on disk a
   * moment later, or with the next alert. Never throws: sends and timers lead here, and one that is lost is a shard sent again.
   */
  addReceipt(receipt: CompletionReceipt): boolean {
    try {
      if (!this.#db.isTransaction) {
        this.#db.exec('BEGIN');
        this.#together ??= setTimeout(() => this.#syncReceipts(), RECEIPTS_TOGETHER_MS);
      }
      const { alertId, transport, shard, node, revision } = receipt;
      const result = this.#addReceipt.run(
        ...[alertId, transport, shard, node, revision, JSON.stringify(receipt)],
        ...[alertId, transport, shard, node, revision],
      );
      return Number(result.changes) > 0;
    } catch (error) {
      this.#loseReceipts(error);
      return true;
    }
  }

  /** Ends the transaction of the receipts. What an alert is written with must never hang on whether this succeeds. */
  #syncReceipts(): void {
    clearTimeout(this.#together);
    this.#together = undefined;
    if (!this.#db.isTransaction) return;
    try {
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#loseReceipts(error);
    }
  }

  #loseReceipts(error: unknown): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    this.#onReceiptsLost(error);
  }

  receiptsOf(alertId: string): CompletionReceipt[] {
    return this.#db
      .prepare('SELECT body FROM receipts WHERE alert_id = ? ORDER BY seq')
      .all(alertId)
      .map(toReceipt);
  }

  /** Public alerts and receipts after the cursor, oldest first: what a peer may lack. Canaries are nobody else's. */
  after(cursor: JournalCursor): {
    cursor: JournalCursor;
    entries: JournalEntry[];
    receipts: CompletionReceipt[];
  } {
    // A peer's cursor must not name what a crash could still take back.
    this.#syncReceipts();
    const alerts = this.#db
      .prepare("SELECT * FROM alerts WHERE seq > ? AND audience = 'public' ORDER BY seq LIMIT ?")
      .iterate(cursor.alerts, PAGE_ALERTS);
    const entries = takeBytes(alerts, 'jws').map(toEntry);
    const receipts = this.#db
      .prepare('SELECT seq, body FROM receipts WHERE seq > ? ORDER BY seq LIMIT ?')
      .iterate(cursor.receipts, PAGE_RECEIPTS);
    const rows = takeBytes(receipts, 'body');
    return {
      cursor: {
        alerts: entries.at(-1)?.seq ?? cursor.alerts,
        receipts: Number(rows.at(-1)?.['seq'] ?? cursor.receipts),
      },
      entries,
      receipts: rows.map(toReceipt),
    };
  }

  /** Removes what is past keeping. */
  purge(nowMs: number): void {
    this.#syncReceipts();
    const oldest = nowMs - KEEP_PUBLIC_MS;
    this.#db
      .prepare(
        "DELETE FROM alerts WHERE (audience = 'canary' AND expires_at < ?) OR expires_at < ?",
      )
      .run(nowMs - KEEP_CANARY_MS, oldest);
    this.#db.prepare('DELETE FROM ended WHERE at < ?').run(oldest);
    this.#db.prepare('DELETE FROM cancels WHERE at < ?').run(oldest);
    this.#db.exec('DELETE FROM receipts WHERE alert_id NOT IN (SELECT id FROM alerts)');
  }

  close(): void {
    this.#syncReceipts();
    this.#db.close();
  }
}

/** The first rows, up to the one whose text reaches the size of half a page: at least one, if there is any. */
function takeBytes(
  rows: Iterable<Record<string, unknown>>,
  column: string,
): Record<string, unknown>[] {
  const taken: Record<string, unknown>[] = [];
  let bytes = 0;
  for (const row of rows) {
    taken.push(row);
    bytes += String(row[column]).length;
    if (bytes >= PAGE_BYTES) break;
  }
  return taken;
}

function toEntry(row: unknown): JournalEntry {
  const parsed = Row.parse(row);
  return {
    seq: parsed.seq,
    id: parsed.id,
    jws: parsed.jws,
    contentHash: parsed.content_hash,
    audience: parsed.audience,
    receivedAtMs: parsed.received_at,
    expiresAtMs: parsed.expires_at,
    state: parsed.state,
    arrivals: Arrivals.parse(JSON.parse(parsed.arrivals)),
  };
}

function toReceipt(row: Record<string, unknown>): CompletionReceipt {
  return CompletionReceipt.parse(JSON.parse(String(row['body'])));
}
