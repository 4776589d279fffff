import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

export const FCM_TOKEN_STATES = ['registered', 'unregistered', 'sender-id-mismatch'] as const;
type FcmTokenState = (typeof FCM_TOKEN_STATES)[number];

/** A message on its way to one device. */
export interface FcmDelivery {
  readonly messageId: string;
  readonly data: Readonly<Record<string, string>>;
  readonly collapseKey: string | undefined;
  /** 0: now or never. */
  readonly ttlSeconds: number;
  readonly expiresMs: number;
}

/** `dropped`: now or never, and the device was away. `overloaded`: our own queue is full, nothing was taken. */
export type Delivered = 'delivered' | 'stored' | 'dropped' | 'overloaded';

/** Where messages for one token go. */
export interface FcmReceiver {
  readonly state: FcmTokenState;
  readonly deliver: (message: FcmDelivery) => Delivered;
}

export type FindFcmReceiver = (token: string) => FcmReceiver | undefined;

/** Non-collapsible messages stored for one device; beyond it all of them are dropped (FCM, "Collapsible messages"). */
const MAX_STORED = 100;

/** Looks like FCM's own: instance id, colon, `APA91b…`. */
export function createFcmToken(): string {
  return `${randomBytes(16).toString('base64url')}:APA91b${randomBytes(72).toString('base64url')}`;
}

export interface FcmDevices {
  register(): string;
  stateOf(token: string): FcmTokenState | undefined;
  /** False when the token is unknown. */
  setState(token: string, state: FcmTokenState): boolean;
  store(token: string, message: FcmDelivery, nowMs: number): void;
  /** Oldest first; what is past its time is thrown away. */
  stored(token: string, nowMs: number): { messageId: string; data: Record<string, string> }[];
  acknowledge(token: string, messageId: string): void;
}

const StoredRow = z.object({ message_id: z.string(), data: z.string() });
const TokenRow = z.object({ state: z.enum(FCM_TOKEN_STATES) });
const DataText = z.record(z.string(), z.string());

/** FCM's own table of devices: tokens with their state, and messages that no device has acknowledged yet. */
export function createFcmDevices(db: DatabaseSync): FcmDevices {
  const insertToken = db.prepare("INSERT INTO fcm_token (token, state) VALUES (?, 'registered')");
  const selectToken = db.prepare('SELECT state FROM fcm_token WHERE token = ?');
  const updateToken = db.prepare('UPDATE fcm_token SET state = ? WHERE token = ?');
  const collapse = db.prepare('DELETE FROM fcm_message WHERE token = ? AND collapse_key = ?');
  const insert = db.prepare(
    'INSERT INTO fcm_message (message_id, token, collapse_key, data, expires_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const count = db.prepare('SELECT count(*) AS n FROM fcm_message WHERE token = ?');
  const clear = db.prepare('DELETE FROM fcm_message WHERE token = ?');
  const expire = db.prepare('DELETE FROM fcm_message WHERE token = ? AND expires_ms <= ?');
  const select = db.prepare(
    'SELECT message_id, data FROM fcm_message WHERE token = ? ORDER BY sequence',
  );
  const remove = db.prepare('DELETE FROM fcm_message WHERE token = ? AND message_id = ?');
  return {
    register: () => {
      const token = createFcmToken();
      insertToken.run(token);
      return token;
    },
    stateOf: (token) => {
      const row = selectToken.get(token);
      return row === undefined ? undefined : TokenRow.parse(row).state;
    },
    setState: (token, state) => updateToken.run(state, token).changes > 0,
    store: (token, message, nowMs) => {
      expire.run(token, nowMs);
      if (message.collapseKey !== undefined) collapse.run(token, message.collapseKey);
      if (Number(count.get(token)?.['n']) >= MAX_STORED) clear.run(token);
      insert.run(
        message.messageId,
        token,
        message.collapseKey ?? null,
        JSON.stringify(message.data),
        message.expiresMs,
      );
    },
    stored: (token, nowMs) => {
      expire.run(token, nowMs);
      return select.all(token).map((row) => {
        const { message_id: messageId, data } = StoredRow.parse(row);
        return { messageId, data: DataText.parse(JSON.parse(data)) };
      });
    },
    acknowledge: (token, messageId) => {
      remove.run(token, messageId);
    },
  };
}
