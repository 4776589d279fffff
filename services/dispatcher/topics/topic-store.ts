import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Membership, TopicChange } from './membership.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS members (
    device TEXT PRIMARY KEY, token TEXT NOT NULL, topics TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS changes (
    n INTEGER PRIMARY KEY AUTOINCREMENT, change TEXT NOT NULL, topic TEXT NOT NULL, token TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, token)) STRICT;
  CREATE INDEX IF NOT EXISTS changes_together ON changes (topic, change, n);
  CREATE TABLE IF NOT EXISTS walk (one INTEGER PRIMARY KEY CHECK (one = 1), after TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS sent (
    alert TEXT NOT NULL, topic TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (alert, topic)) STRICT, WITHOUT ROWID;
`;

/** An alert lives for a day, and what ends it may come a day later. */
const KEEP_SENT_MS = 3 * 24 * 3600 * 1000;

/** Changes of one topic, to be told in one request. */
export interface ChangeBatch {
  readonly change: TopicChange['change'];
  readonly topic: string;
  readonly changes: readonly WaitingChange[];
}
export interface WaitingChange {
  readonly n: number;
  readonly token: string;
  readonly tries: number;
}

/** What a walk found out about one device. */
export interface MemberUpdate {
  readonly deviceId: string;
  readonly next: Membership | undefined;
  readonly changes: readonly TopicChange[];
}

/** Opens the file; one that cannot be read is made anew. */
export function openTopicStore(path: string, onMadeAnew: (error: unknown) => void): TopicStore {
  try {
    return new TopicStore(path);
  } catch (error) {
    onMadeAnew(error);
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    return new TopicStore(path);
  }
}

/**
 * What this node knows of topics, on disk: who has been put into which, what Google has still to be told, how far the
 * walk through the registry has come, and which topics have had which alert. Lost, it is made again: joining twice is
 * harmless. Synced now and then, not with each write: what a loss of power takes back is done again.
 */
export class TopicStore {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  #waiting: number;
  #members: number;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#db.exec(SCHEMA);
    this.#statements = prepare(this.#db);
    this.#waiting = this.#count('changes');
    this.#members = this.#count('members');
  }

  /** Changes that Google has not been told. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Devices that this node looks after. */
  get members(): number {
    return this.#members;
  }

  member(deviceId: string): Membership | undefined {
    const row = this.#statements.member.get(deviceId);
    return row && { token: String(row['token']), topics: String(row['topics']).split(' ') };
  }

  /** Where the walk goes on; empty: from the first. */
  get walkAfter(): string {
    return String(this.#statements.walk.get()?.['after'] ?? '');
  }

  /** Takes in a page of the walk: whole or not at all. The later word about a token and a topic stands. */
  note(updates: readonly MemberUpdate[], after: string): void {
    const { addMember, dropMember, addChange, dropChange, setWalk } = this.#statements;
    let [members, waiting] = [this.#members, this.#waiting];
    this.#transaction(() => {
      for (const { deviceId, next, changes } of updates) {
        members -= Number(dropMember.run(deviceId).changes);
        if (next)
          members += Number(addMember.run(deviceId, next.token, next.topics.join(' ')).changes);
        for (const { change, topic, token } of changes) {
          waiting -= Number(dropChange.run(topic, token).changes);
          waiting += Number(addChange.run(change, topic, token).changes);
        }
      }
      setWalk.run(after);
    });
    this.#members = members;
    this.#waiting = waiting;
  }

  /** The changes that wait longest, with as many more of the same topic as fit into one request. */
  nextBatch(limit: number): ChangeBatch | undefined {
    const first = this.#statements.firstChange.get();
    if (!first) return undefined;
    const topic = String(first['topic']);
    const change = first['change'] === 'add' ? 'add' : 'remove';
    const changes = this.#statements.together.all(topic, change, limit).map((row) => ({
      n: Number(row['n']),
      token: String(row['token']),
      tries: Number(row['tries']),
    }));
    return { change, topic, changes };
  }

  /** `ended` need not be told any more; `again` go to the end of the line. */
  settle(ended: readonly WaitingChange[], again: readonly WaitingChange[]): void {
    const { endChange, againChange } = this.#statements;
    this.#transaction(() => {
      for (const { n } of ended) this.#waiting -= Number(endChange.run(n).changes);
      for (const { n } of again) againChange.run(n);
    });
  }

  /** Whether this node has sent an alert to a topic, or (without one) to any. */
  wasSent(alertId: string, topic?: string): boolean {
    const { sentTo, sentAny } = this.#statements;
    return (topic === undefined ? sentAny.get(alertId) : sentTo.get(alertId, topic)) !== undefined;
  }

  noteSent(alertId: string, topic: string, nowMs: number): void {
    this.#statements.setSent.run(alertId, topic, Math.round(nowMs));
    this.#statements.forgetSent.run(Math.round(nowMs - KEEP_SENT_MS));
  }

  close(): void {
    this.#db.close();
  }

  #count(table: 'changes' | 'members'): number {
    return Number(this.#db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
  }

  #transaction(change: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      change();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

function prepare(db: DatabaseSync) {
  return {
    member: db.prepare('SELECT token, topics FROM members WHERE device = ?'),
    addMember: db.prepare('INSERT INTO members VALUES (?, ?, ?)'),
    dropMember: db.prepare('DELETE FROM members WHERE device = ?'),
    // A new row, at the end of the line, whose number nobody else ever had: a request that is under way ends the old one.
    addChange: db.prepare('INSERT INTO changes (change, topic, token) VALUES (?, ?, ?)'),
    dropChange: db.prepare('DELETE FROM changes WHERE topic = ? AND token = ?'),
    firstChange: db.prepare('SELECT change, topic FROM changes ORDER BY n LIMIT 1'),
    together: db.prepare(
      'SELECT n, token, tries FROM changes WHERE topic = ? AND change = ? ORDER BY n LIMIT ?',
    ),
    endChange: db.prepare('DELETE FROM changes WHERE n = ?'),
    againChange: db.prepare(
      'REPLACE INTO changes (change, topic, token, tries) SELECT change, topic, token, tries + 1 FROM changes WHERE n = ?',
    ),
    walk: db.prepare('SELECT after FROM walk'),
    setWalk: db.prepare('REPLACE INTO walk VALUES (1, ?)'),
    sentTo: db.prepare('SELECT 1 FROM sent WHERE alert = ? AND topic = ?'),
    sentAny: db.prepare('SELECT 1 FROM sent WHERE alert = ? LIMIT 1'),
    setSent: db.prepare('REPLACE INTO sent VALUES (?, ?, ?)'),
    forgetSent: db.prepare('DELETE FROM sent WHERE at < ?'),
  };
}
