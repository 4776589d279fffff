import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * What outlives a restart, as a push service's own database would: users with their channels and undelivered messages,
 * FCM tokens, crowds with their keys, and the secret that access tokens are made with.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS push_channel (
    token TEXT PRIMARY KEY, uaid TEXT NOT NULL, channel_id TEXT NOT NULL, vapid_key TEXT,
    removed TEXT CHECK (removed IN ('unregistered', 'user-reset'))
  ) STRICT;
  CREATE INDEX IF NOT EXISTS push_channel_uaid ON push_channel (uaid, channel_id);
  CREATE TABLE IF NOT EXISTS push_message (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT NOT NULL UNIQUE, uaid TEXT NOT NULL,
    token TEXT NOT NULL, channel_id TEXT NOT NULL, topic TEXT, body BLOB NOT NULL, expires_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS push_message_uaid ON push_message (uaid, sequence);
  CREATE TABLE IF NOT EXISTS fcm_token (
    token TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('registered', 'unregistered', 'sender-id-mismatch'))
  ) STRICT;
  CREATE TABLE IF NOT EXISTS fcm_message (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL UNIQUE, token TEXT NOT NULL,
    collapse_key TEXT, data TEXT NOT NULL, expires_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS fcm_message_token ON fcm_message (token, sequence);
  CREATE TABLE IF NOT EXISTS crowd (name TEXT PRIMARY KEY, setup TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS crowd_device (
    crowd TEXT NOT NULL REFERENCES crowd (name) ON DELETE CASCADE, position INTEGER NOT NULL,
    device_id TEXT NOT NULL, area TEXT NOT NULL, transport TEXT NOT NULL, token TEXT NOT NULL UNIQUE,
    private_key TEXT, public_key TEXT, auth TEXT, PRIMARY KEY (crowd, position)
  ) STRICT;
`;

const SCHEMA_VERSION = 1;

/** Opens (or makes) the sandbox's database. Throws when another version of the sandbox wrote it. */
export function openState(dataDir: string): DatabaseSync {
  mkdirSync(dataDir, { recursive: true });
  const db = new DatabaseSync(join(dataDir, 'sandbox.sqlite'));
  // Registrations survive a kill of the process; only a loss of power may take the last ones.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
  const found = db.prepare('PRAGMA user_version').get()?.['user_version'];
  if (found !== 0 && found !== SCHEMA_VERSION) {
    db.close();
    throw new Error(`${dataDir} was written by another version of the sandbox: delete it`);
  }
  db.exec(SCHEMA);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  return db;
}

/** Runs `change` whole or not at all. */
export function transaction<Result>(db: DatabaseSync, change: () => Result): Result {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = change();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
