import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { DeviceIdentity } from '../../../shared/mcs/check-in.ts';

/** `native`: an app that gets FCM's data messages; `web`: a browser's Web Push subscription. */
const REGISTRATION_KINDS = ['native', 'web'] as const;

/** One app on one device that one sender may reach. */
export interface Registration {
  readonly token: string;
  readonly androidId: string;
  readonly kind: (typeof REGISTRATION_KINDS)[number];
  /** Package that registered; a browser is `org.chromium.linux` for all its sites. */
  readonly app: string;
  /** The site within the browser, or the sender within an app. */
  readonly subtype: string;
  /** Project number, or the public VAPID key as the browser wrote it. */
  readonly sender: string;
  /** The device has taken it back. */
  readonly removed: boolean;
}

/** What makes two registrations the same. */
export type RegistrationKey = Pick<Registration, 'androidId' | 'app' | 'subtype' | 'sender'>;

/** A message that no device has acknowledged yet, as it goes over the wire. */
export interface WaitingMessage {
  readonly persistentId: string;
  readonly bytes: Buffer;
}

/** What the stand-in for Google's device side knows: devices, their registrations, and what waits for whom. */
export interface FcmDeviceStore {
  /** A known device stays who it is; any other becomes a new one. `full`: there are too many. */
  checkIn(given: DeviceIdentity | undefined): DeviceIdentity | 'full';
  knows(identity: DeviceIdentity): boolean;
  find(token: string): Registration | undefined;
  /** The live registration with these words. */
  same(key: RegistrationKey): Registration | undefined;
  /** False: the device has too many. */
  add(registration: Omit<Registration, 'removed'>): boolean;
  /** Takes back what matches; an empty word, or `*` as sender, stands for any. Returns the tokens. */
  remove(key: RegistrationKey): string[];
  keep(to: Registration, message: KeptMessage, nowMs: number): void;
  /** Oldest first; what is past its time is thrown away. */
  waiting(androidId: string, nowMs: number): WaitingMessage[];
  acknowledge(androidId: string, persistentIds: readonly string[]): void;
}

interface KeptMessage extends WaitingMessage {
  /** A message with the same one takes its place. */
  readonly collapseKey: string | undefined;
  readonly expiresMs: number;
}

const MAX_DEVICES = 20_000;
const MAX_REGISTRATIONS_OF_DEVICE = 500;
/** Messages stored for one device; beyond it all of them are dropped (FCM, "Collapsible messages"). */
const MAX_WAITING = 100;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS mcs_device (
    android_id TEXT PRIMARY KEY, security_token TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS mcs_registration (
    token TEXT PRIMARY KEY, android_id TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('native', 'web')),
    app TEXT NOT NULL, subtype TEXT NOT NULL, sender TEXT NOT NULL, removed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS mcs_registration_device ON mcs_registration (android_id);
  CREATE TABLE IF NOT EXISTS mcs_message (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, persistent_id TEXT NOT NULL, android_id TEXT NOT NULL,
    token TEXT NOT NULL, collapse_key TEXT, bytes BLOB NOT NULL, expires_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS mcs_message_device ON mcs_message (android_id, sequence);
`;

const RegistrationRow = z
  .object({
    token: z.string(),
    android_id: z.string(),
    kind: z.enum(REGISTRATION_KINDS),
    app: z.string(),
    subtype: z.string(),
    sender: z.string(),
    removed: z.number(),
  })
  .transform(
    ({ android_id: androidId, removed, ...row }): Registration => ({
      ...row,
      androidId,
      removed: removed !== 0,
    }),
  );
const MessageRow = z.object({ persistent_id: z.string(), bytes: z.instanceof(Uint8Array) });

/** The tables of the device side, beside the sandbox's others. */
export function createFcmDeviceStore(db: DatabaseSync): FcmDeviceStore {
  db.exec(SCHEMA);
  return { ...deviceTable(db), ...registrationTable(db), ...messageTable(db) };
}

function deviceTable(db: DatabaseSync) {
  const count = db.prepare('SELECT count(*) AS n FROM mcs_device');
  const select = db.prepare('SELECT 1 FROM mcs_device WHERE android_id = ? AND security_token = ?');
  const insert = db.prepare('INSERT INTO mcs_device (android_id, security_token) VALUES (?, ?)');
  const knows = ({ androidId, securityToken }: DeviceIdentity) =>
    select.get(androidId, securityToken) !== undefined;
  return {
    knows,
    checkIn: (given: DeviceIdentity | undefined) => {
      if (given && knows(given)) return given;
      if (Number(count.get()?.['n']) >= MAX_DEVICES) return 'full' as const;
      const identity = { androidId: randomId(), securityToken: randomId() };
      insert.run(identity.androidId, identity.securityToken);
      return identity;
    },
  };
}

/** 63 bits, never zero: clients keep them as signed numbers. */
function randomId(): string {
  return String((randomBytes(8).readBigUInt64BE() >> 1n) | 1n);
}

function registrationTable(db: DatabaseSync) {
  const byToken = db.prepare('SELECT * FROM mcs_registration WHERE token = ?');
  const live = db.prepare('SELECT * FROM mcs_registration WHERE android_id = ? AND removed = 0');
  const insert = db.prepare(
    'INSERT INTO mcs_registration (token, android_id, kind, app, subtype, sender) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const remove = db.prepare('UPDATE mcs_registration SET removed = 1 WHERE token = ?');
  const clear = db.prepare('DELETE FROM mcs_message WHERE token = ?');
  const liveOf = (androidId: string) =>
    live.all(androidId).map((row) => RegistrationRow.parse(row));
  return {
    find: (token: string) => {
      const row = byToken.get(token);
      return row === undefined ? undefined : RegistrationRow.parse(row);
    },
    same: ({ androidId, app, subtype, sender }: RegistrationKey) =>
      liveOf(androidId).find(
        (each) => each.app === app && each.subtype === subtype && each.sender === sender,
      ),
    add: ({ token, androidId, kind, app, subtype, sender }: Omit<Registration, 'removed'>) => {
      if (liveOf(androidId).length >= MAX_REGISTRATIONS_OF_DEVICE) return false;
      insert.run(token, androidId, kind, app, subtype, sender);
      return true;
    },
    remove: ({ androidId, app, subtype, sender }: RegistrationKey) =>
      liveOf(androidId)
        .filter((each) => each.app === app)
        .filter((each) => subtype === '' || each.subtype === subtype)
        .filter((each) => sender === '' || sender === '*' || each.sender === sender)
        .map(({ token }) => {
          remove.run(token);
          clear.run(token);
          return token;
        }),
  };
}

function messageTable(db: DatabaseSync) {
  const expire = db.prepare('DELETE FROM mcs_message WHERE android_id = ? AND expires_ms <= ?');
  const collapse = db.prepare('DELETE FROM mcs_message WHERE token = ? AND collapse_key = ?');
  const count = db.prepare('SELECT count(*) AS n FROM mcs_message WHERE android_id = ?');
  const clear = db.prepare('DELETE FROM mcs_message WHERE android_id = ?');
  const insert = db.prepare(
    'INSERT INTO mcs_message (persistent_id, android_id, token, collapse_key, bytes, expires_ms) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const select = db.prepare(
    'SELECT persistent_id, bytes FROM mcs_message WHERE android_id = ? ORDER BY sequence',
  );
  const remove = db.prepare('DELETE FROM mcs_message WHERE android_id = ? AND persistent_id = ?');
  return {
    keep: ({ androidId, token }: Registration, message: KeptMessage, nowMs: number) => {
      const { persistentId, collapseKey, bytes, expiresMs } = message;
      expire.run(androidId, nowMs);
      if (collapseKey !== undefined) collapse.run(token, collapseKey);
      if (Number(count.get(androidId)?.['n']) >= MAX_WAITING) clear.run(androidId);
      insert.run(persistentId, androidId, token, collapseKey ?? null, bytes, expiresMs);
    },
    waiting: (androidId: string, nowMs: number) => {
      expire.run(androidId, nowMs);
      return select.all(androidId).map((row) => {
        const { persistent_id: persistentId, bytes } = MessageRow.parse(row);
        return { persistentId, bytes: Buffer.from(bytes) };
      });
    },
    acknowledge: (androidId: string, persistentIds: readonly string[]) => {
      for (const id of persistentIds) remove.run(androidId, id);
    },
  };
}
