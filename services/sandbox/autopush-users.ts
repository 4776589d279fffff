import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { transaction } from './state.ts';
import { createEndpointToken, type WebPushDelivery } from './web-push-receivers.ts';

/** Messages that autopush keeps for one user; one more and it throws the user away with all subscriptions. */
export const MAX_STORED_PER_USER = 150;

export interface Channel {
  readonly token: string;
  readonly uaid: string;
  readonly channelId: string;
  readonly vapidKey: string | undefined;
  /** Set when the endpoint is no longer valid. */
  readonly removed: 'unregistered' | 'user-reset' | undefined;
}

export interface StoredMessage {
  readonly version: string;
  readonly channelId: string;
  readonly body: Buffer;
}

/** Autopush's table of users: their channels, and the messages that no browser has acknowledged yet. */
export interface AutopushUsers {
  /** A user exists as long as it has a channel. */
  exists(uaid: string): boolean;
  /** Returns the token of the endpoint; the same for the same channel and key. */
  register(uaid: string, channelId: string, vapidKey: string | undefined): string;
  unregister(uaid: string, channelId: string): void;
  find(token: string): Channel | undefined;
  /** Keeps a message; one with the same topic goes. False: it was one too many, and the user is reset. */
  store(channel: Channel, message: WebPushDelivery): boolean;
  /** Oldest first, at most `limit`, without the versions in `except`; what is past its time is thrown away. */
  stored(
    uaid: string,
    options: { limit: number; except: ReadonlySet<string>; nowMs: number },
  ): StoredMessage[];
  acknowledge(uaid: string, version: string): void;
  reset(uaid: string): void;
}

const ChannelRow = z
  .object({
    token: z.string(),
    uaid: z.string(),
    channel_id: z.string(),
    vapid_key: z.string().nullable(),
    removed: z.enum(['unregistered', 'user-reset']).nullable(),
  })
  .transform(
    (row): Channel => ({
      token: row.token,
      uaid: row.uaid,
      channelId: row.channel_id,
      vapidKey: row.vapid_key ?? undefined,
      removed: row.removed ?? undefined,
    }),
  );

const MessageRow = z.object({
  version: z.string(),
  channel_id: z.string(),
  body: z.instanceof(Uint8Array),
});

export function createAutopushUsers(db: DatabaseSync): AutopushUsers {
  const active = db.prepare(
    'SELECT 1 FROM push_channel WHERE uaid = ? AND removed IS NULL LIMIT 1',
  );
  const channels = db.prepare(
    'SELECT * FROM push_channel WHERE uaid = ? AND channel_id = ? AND removed IS NULL',
  );
  const insertChannel = db.prepare(
    'INSERT INTO push_channel (token, uaid, channel_id, vapid_key) VALUES (?, ?, ?, ?)',
  );
  const byToken = db.prepare('SELECT * FROM push_channel WHERE token = ?');
  const removeChannel = db.prepare(
    "UPDATE push_channel SET removed = 'unregistered' WHERE uaid = ? AND channel_id = ? AND removed IS NULL",
  );
  const clearChannel = db.prepare('DELETE FROM push_message WHERE uaid = ? AND channel_id = ?');
  const clearTopic = db.prepare('DELETE FROM push_message WHERE token = ? AND topic = ?');
  const insert = db.prepare(
    'INSERT INTO push_message (version, uaid, token, channel_id, topic, body, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const count = db.prepare('SELECT count(*) AS n FROM push_message WHERE uaid = ?');
  const expire = db.prepare('DELETE FROM push_message WHERE uaid = ? AND expires_ms <= ?');
  const select = db.prepare(
    'SELECT version, channel_id, body FROM push_message WHERE uaid = ? ORDER BY sequence',
  );
  const remove = db.prepare('DELETE FROM push_message WHERE uaid = ? AND version = ?');
  const resetChannels = db.prepare(
    "UPDATE push_channel SET removed = 'user-reset' WHERE uaid = ? AND removed IS NULL",
  );
  const clearUser = db.prepare('DELETE FROM push_message WHERE uaid = ?');

  const reset = (uaid: string) =>
    transaction(db, () => {
      resetChannels.run(uaid);
      clearUser.run(uaid);
    });
  return {
    exists: (uaid) => active.get(uaid) !== undefined,
    register: (uaid, channelId, vapidKey) => {
      const known = channels.all(uaid, channelId).map((row) => ChannelRow.parse(row));
      const same = known.find((channel) => channel.vapidKey === vapidKey);
      if (same) return same.token;
      const token = createEndpointToken();
      insertChannel.run(token, uaid, channelId, vapidKey ?? null);
      return token;
    },
    unregister: (uaid, channelId) =>
      transaction(db, () => {
        removeChannel.run(uaid, channelId);
        clearChannel.run(uaid, channelId);
      }),
    find: (token) => {
      const row = byToken.get(token);
      return row === undefined ? undefined : ChannelRow.parse(row);
    },
    store: ({ uaid, token, channelId }, message) => {
      if (message.topic !== undefined) clearTopic.run(token, message.topic);
      const { version, topic, body, expiresMs } = message;
      insert.run(version, uaid, token, channelId, topic ?? null, body, expiresMs);
      const isTooMany = Number(count.get(uaid)?.['n']) > MAX_STORED_PER_USER;
      if (isTooMany) reset(uaid);
      return !isTooMany;
    },
    stored: (uaid, { limit, except, nowMs }) => {
      expire.run(uaid, nowMs);
      return select
        .all(uaid)
        .map((row) => MessageRow.parse(row))
        .filter(({ version }) => !except.has(version))
        .slice(0, limit)
        .map((row) => ({
          version: row.version,
          channelId: row.channel_id,
          body: Buffer.from(row.body),
        }));
    },
    acknowledge: (uaid, version) => {
      remove.run(uaid, version);
    },
    reset,
  };
}
