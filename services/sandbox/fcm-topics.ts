import type { DatabaseSync } from 'node:sqlite';
import type { FcmDelivery, FindFcmReceiver } from './fcm-devices.ts';
import { transaction } from './state.ts';

/** An app instance may be in so many topics (firebase.google.com, "Topic messaging on FCM"). */
const MAX_TOPICS_OF_DEVICE = 2_000;
/** Devices that a message is handed to before other work gets a turn. */
const DEVICES_AT_A_TIME = 500;

/** The words of the Instance ID service; `undefined`: done. */
export type MembershipError =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'TOO_MANY_TOPICS';
export type MembershipResult = MembershipError | undefined;

export interface FcmTopicsDeps {
  readonly find: FindFcmReceiver;
}

/** Which devices are in which topics, and what is on its way to them. */
export interface FcmTopics {
  /** Result for each token, in order. Whoever is in (or out) already is no error. */
  change(change: 'add' | 'remove', topic: string, tokens: readonly string[]): MembershipResult[];
  /** Begins to hand a message to all who are in the topic when their turn comes: FCM answers long before it is done. */
  publish(topic: string, message: FcmDelivery): void;
  list(): { topic: string; subscribers: number }[];
  topicsOf(token: string): string[];
  /** Topics are "optimized for throughput rather than latency": each message waits so long before its fan-out begins. */
  setDelay(delayMs: number): void;
  readonly delayMs: number;
  close(): void;
}

const TOKEN = /^[A-Za-z0-9:_-]{20,400}$/;

/** FCM's topics: they come into being with their first member and end with their last one. */
export function createFcmTopics(db: DatabaseSync, { find }: FcmTopicsDeps): FcmTopics {
  db.exec(`CREATE TABLE IF NOT EXISTS fcm_topic (
    topic TEXT NOT NULL, token TEXT NOT NULL, PRIMARY KEY (topic, token)) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS fcm_topic_token ON fcm_topic (token);`);
  const insert = db.prepare('INSERT OR IGNORE INTO fcm_topic VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM fcm_topic WHERE topic = ? AND token = ?');
  const ofToken = db.prepare('SELECT topic FROM fcm_topic WHERE token = ? ORDER BY topic');
  const members = db.prepare(
    'SELECT token FROM fcm_topic WHERE topic = ? AND token > ? ORDER BY token LIMIT ?',
  );
  const counts = db.prepare(
    'SELECT topic, count(*) AS subscribers FROM fcm_topic GROUP BY topic ORDER BY topic',
  );
  const timers = new Set<NodeJS.Timeout>();
  let delayMs = 0;
  const later = (ms: number, work: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };

  const changeOne = (change: 'add' | 'remove', topic: string, token: string): MembershipResult => {
    if (!TOKEN.test(token)) return 'INVALID_ARGUMENT';
    const state = find(token)?.state ?? 'unregistered';
    if (state === 'unregistered') return 'NOT_FOUND';
    if (state === 'sender-id-mismatch') return 'PERMISSION_DENIED';
    if (change === 'remove') remove.run(topic, token);
    else if (ofToken.all(token).length >= MAX_TOPICS_OF_DEVICE) return 'TOO_MANY_TOPICS';
    else insert.run(topic, token);
    return undefined;
  };

  const fanOut = (topic: string, message: FcmDelivery, after: string) => {
    const tokens = members.all(topic, after, DEVICES_AT_A_TIME).map(({ token }) => String(token));
    for (const token of tokens) {
      const receiver = find(token);
      if (receiver?.state !== 'registered') continue;
      // One copy each: a device acknowledges by the message's id.
      receiver.deliver({ ...message, messageId: `${message.messageId}:${token.slice(0, 22)}` });
    }
    const last = tokens.at(-1);
    if (tokens.length === DEVICES_AT_A_TIME && last !== undefined)
      later(0, () => fanOut(topic, message, last));
  };

  return {
    change: (change, topic, tokens) =>
      transaction(db, () => tokens.map((token) => changeOne(change, topic, token))),
    publish: (topic, message) => later(delayMs, () => fanOut(topic, message, '')),
    list: () =>
      counts.all().map((row) => ({
        topic: String(row['topic']),
        subscribers: Number(row['subscribers']),
      })),
    topicsOf: (token) => ofToken.all(token).map(({ topic }) => String(topic)),
    setDelay: (ms) => {
      delayMs = ms;
    },
    get delayMs() {
      return delayMs;
    },
    close: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
