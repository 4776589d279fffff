import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { Audience } from '../../../shared/alert/audience.ts';
import type { MsgType } from '../../../shared/alert/cap-values.ts';
import type { LaneMessage } from './lane-target.ts';

/**
 * - `sending`: written, nothing was answered yet (after a crash: nobody knows what became of it);
 * - `accepted`: answered 202; the lanes that lag are sent to until they have it;
 * - `refused`: answered 503 or 409; nothing more is sent unless its author repeats it.
 */
type OutboxState = 'sending' | 'accepted' | 'refused';

export interface OutboxEntry extends LaneMessage {
  readonly state: OutboxState;
  readonly msgType: MsgType;
  /** CAP identity of what it is, to build what refers to it. */
  readonly identifier: string;
  readonly apiKeyId: string;
  readonly expiresAtMs: number;
  /** The body of the 202, as JSON. */
  readonly answer: string | undefined;
}

export interface NewEntry extends Omit<OutboxEntry, 'state' | 'answer'> {
  readonly nowMs: number;
  /** Ids of the alerts it updates or cancels. */
  readonly references: readonly string[];
  readonly targets: readonly string[];
  readonly idempotency: IdempotencyUse | undefined;
}

/** A client's own name for a request, and a hash of what it asked. */
export interface IdempotencyUse {
  readonly apiKeyId: string;
  readonly key: string;
  readonly requestHash: string;
}

/** One alert as it stands in the outbox, for its timeline. */
export interface OutboxRecord extends OutboxEntry {
  readonly createdAtMs: number;
  readonly answeredAtMs: number | undefined;
  /** `settledAtMs` is missing for what was settled by an older version. */
  readonly lanes: readonly {
    readonly target: string;
    readonly state: 'open' | 'done' | 'conflict';
    readonly settledAtMs: number | undefined;
  }[];
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY, content_hash TEXT NOT NULL, audience TEXT NOT NULL, sender TEXT NOT NULL,
    identifier TEXT NOT NULL, msg_type TEXT NOT NULL, api_key_id TEXT NOT NULL, jws TEXT NOT NULL, expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL, state TEXT NOT NULL, answered_at INTEGER, answer TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS alerts_created ON alerts (created_at);
  CREATE TABLE IF NOT EXISTS lanes (
    alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE, target TEXT NOT NULL, state TEXT NOT NULL,
    settled_at INTEGER, PRIMARY KEY (alert_id, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS lanes_open ON lanes (target) WHERE state = 'open';
  CREATE TABLE IF NOT EXISTS follow_ups (
    referenced TEXT NOT NULL, alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    PRIMARY KEY (referenced, alert_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS idempotency (
    api_key_id TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL,
    alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE, PRIMARY KEY (api_key_id, key)
  ) STRICT, WITHOUT ROWID;
`;

/** Longer than the bus keeps alerts (7 days), so that a repeat is known as one for as long as it could be stored twice. */
const KEEP_PUBLIC_MS = 8 * 24 * 3600 * 1000;
const KEEP_CANARY_MS = 2 * 3600 * 1000;
/** And never more than this many, the youngest: a client that sends without end must not fill the disk. */
const KEEP_AT_MOST = 20_000;

/**
 * The ingest's own journal, synced to disk on every write: what was asked, what was answered, and which lanes still lack
 * it. An alert is written here before it is sent anywhere.
 */
export class Outbox {
  readonly #db: DatabaseSync;

  /** `path` of the SQLite file, or `:memory:`. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 1000;',
    );
    this.#db.exec(SCHEMA);
    const lanes = this.#db.prepare("SELECT name FROM pragma_table_info('lanes')").all();
    // An outbox of a version that did not note when a lane had it.
    if (!lanes.some((column) => column['name'] === 'settled_at'))
      this.#db.exec('ALTER TABLE lanes ADD COLUMN settled_at INTEGER');
  }

  close(): void {
    this.#db.close();
  }

  find(id: string): OutboxEntry | undefined {
    const row = this.#db.prepare('SELECT * FROM alerts WHERE id = ?').get(id);
    return row === undefined ? undefined : toEntry(row);
  }

  /** Writes a message before its first send; one that was refused before is opened again. */
  add(entry: NewEntry): void {
    this.#transaction(() => {
      this.#db
        .prepare(
          `INSERT INTO alerts (id, content_hash, audience, sender, identifier, msg_type, api_key_id, jws, expires_at, created_at, state)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'sending') ON CONFLICT (id) DO UPDATE SET state = 'sending'`,
        )
        .run(
          entry.id,
          entry.contentHash,
          entry.audience,
          entry.sender,
          entry.identifier,
          entry.msgType,
          entry.apiKeyId,
          entry.jws,
          entry.expiresAtMs,
          entry.nowMs,
        );
      const lane = this.#db.prepare(
        `INSERT INTO lanes (alert_id, target, state) VALUES (?, ?, 'open')
         ON CONFLICT (alert_id, target) DO UPDATE SET state = 'open'`,
      );
      for (const target of entry.targets) lane.run(entry.id, target);
      const followUp = this.#db.prepare(
        'INSERT OR IGNORE INTO follow_ups (referenced, alert_id) VALUES (?, ?)',
      );
      for (const referenced of entry.references) followUp.run(referenced, entry.id);
      if (entry.idempotency) this.remember(entry.idempotency, entry.id);
    });
  }

  /** Accepted: `answer` is given again to whoever repeats the request. Unacknowledged lanes are owed from now on. */
  accept(id: string, answer: string, nowMs: number): void {
    this.#db
      .prepare("UPDATE alerts SET state = 'accepted', answer = ?, answered_at = ? WHERE id = ?")
      .run(answer, nowMs, id);
  }

  refuse(id: string): void {
    this.#db.prepare("UPDATE alerts SET state = 'refused' WHERE id = ?").run(id);
  }

  /** A lane that has it (`done`) or holds something else (`conflict`): it is not sent to again. */
  settleLane(id: string, target: string, state: 'done' | 'conflict', nowMs: number): void {
    this.#db
      .prepare('UPDATE lanes SET state = ?, settled_at = ? WHERE alert_id = ? AND target = ?')
      .run(state, nowMs, id, target);
  }

  /** Everything about one alert, with the instants. */
  record(id: string): OutboxRecord | undefined {
    const row = this.#db.prepare('SELECT * FROM alerts WHERE id = ?').get(id);
    if (row === undefined) return undefined;
    const lanes = this.#db
      .prepare('SELECT target, state, settled_at FROM lanes WHERE alert_id = ? ORDER BY settled_at')
      .all(id);
    return {
      ...toEntry(row),
      createdAtMs: Number(row['created_at']),
      answeredAtMs: optionalMs(row['answered_at']),
      lanes: lanes.map((lane) => ({
        target: text(lane, 'target'),
        state: text(lane, 'state') as 'open' | 'done' | 'conflict',
        settledAtMs: optionalMs(lane['settled_at']),
      })),
    };
  }

  /**
   * Accepted, unexpired alerts that a target lacks, the newest first: a new alert does not wait for old ones.
   * `answeredBeforeMs` leaves out those whose first sends still run.
   */
  owedTo(target: string, nowMs: number, answeredBeforeMs: number, limit: number): OutboxEntry[] {
    return this.#db
      .prepare(
        `SELECT alerts.* FROM lanes JOIN alerts ON alerts.id = lanes.alert_id
         WHERE lanes.target = ? AND lanes.state = 'open' AND alerts.state = 'accepted'
         AND alerts.expires_at > ? AND alerts.answered_at <= ? ORDER BY alerts.created_at DESC LIMIT ?`,
      )
      .all(target, nowMs, answeredBeforeMs, limit)
      .map(toEntry);
  }

  /** What refers to an alert, oldest first: its Updates and its Cancel. */
  followUps(id: string): OutboxEntry[] {
    return this.#db
      .prepare(
        `SELECT alerts.* FROM follow_ups JOIN alerts ON alerts.id = follow_ups.alert_id
         WHERE follow_ups.referenced = ? ORDER BY alerts.created_at LIMIT 50`,
      )
      .all(id)
      .map(toEntry);
  }

  idempotentRequest(
    apiKeyId: string,
    key: string,
  ): { requestHash: string; alertId: string } | undefined {
    const row = this.#db
      .prepare('SELECT request_hash, alert_id FROM idempotency WHERE api_key_id = ? AND key = ?')
      .get(apiKeyId, key);
    return row && { requestHash: text(row, 'request_hash'), alertId: text(row, 'alert_id') };
  }

  remember(use: IdempotencyUse, alertId: string): void {
    this.#db
      .prepare(
        'INSERT OR IGNORE INTO idempotency (api_key_id, key, request_hash, alert_id) VALUES (?, ?, ?, ?)',
      )
      .run(use.apiKeyId, use.key, use.requestHash, alertId);
  }

  /**
   * After a restart: what was being sent when the process died. Where some lane acknowledged it, it is out and the rest
   * are owed it too; where none did, its author, who got no answer, decides.
   */
  settleInterrupted(nowMs: number): { resumed: number; dropped: number } {
    const resumed = this.#db
      .prepare(
        `UPDATE alerts SET state = 'accepted', answered_at = ? WHERE state = 'sending'
         AND EXISTS (SELECT 1 FROM lanes WHERE alert_id = alerts.id AND lanes.state = 'done' AND target NOT LIKE 'edge:%')`,
      )
      .run(nowMs).changes;
    const dropped = this.#db
      .prepare("UPDATE alerts SET state = 'refused' WHERE state = 'sending'")
      .run().changes;
    return { resumed: Number(resumed), dropped: Number(dropped) };
  }

  /** Forgets what nobody can repeat any more, and what is too much. Returns how many. */
  purge(nowMs: number, keepAtMost = KEEP_AT_MOST): number {
    const old = this.#db
      .prepare(
        `DELETE FROM alerts WHERE created_at < ? OR (audience = 'canary' AND created_at < ?)`,
      )
      .run(nowMs - KEEP_PUBLIC_MS, nowMs - KEEP_CANARY_MS).changes;
    const tooMany = this.#db
      .prepare(
        'DELETE FROM alerts WHERE id IN (SELECT id FROM alerts ORDER BY created_at DESC LIMIT -1 OFFSET ?)',
      )
      .run(keepAtMost).changes;
    return Number(old) + Number(tooMany);
  }

  #transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

type Row = Record<string, SQLOutputValue>;

function toEntry(row: Row): OutboxEntry {
  return {
    id: text(row, 'id'),
    contentHash: text(row, 'content_hash'),
    audience: text(row, 'audience') as Audience,
    sender: text(row, 'sender'),
    identifier: text(row, 'identifier'),
    msgType: text(row, 'msg_type') as MsgType,
    apiKeyId: text(row, 'api_key_id'),
    jws: text(row, 'jws'),
    expiresAtMs: Number(row['expires_at']),
    state: text(row, 'state') as OutboxState,
    answer: row['answer'] === null ? undefined : text(row, 'answer'),
  };
}

function optionalMs(value: SQLOutputValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

function text(row: Row, column: string): string {
  return String(row[column]);
}
