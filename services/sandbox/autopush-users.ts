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
  store(channel: Channel, message: WebPushDelivery, nowMs: number): boolean;
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

/** Autopush's own tables: who subscribed to what, and what waits for whom. */
export function createAutopushUsers(db: DatabaseSync): AutopushUsers {
  const channels = createChannelTable(db);
  const messages = createMessageTable(db);
  const reset = (uaid: string) =>
    transaction(db, () => {
      channels.reset(uaid);
      messages.clear(uaid);
    });
  return {
    exists: channels.exists,
    register: channels.register,
    unregister: (uaid, channelId) =>
      transaction(db, () => {
        channels.remove(uaid, channelId);
        messages.clearChannel(uaid, channelId);
      }),
    find: channels.find,
    store: (channel, message, nowMs) => {
      messages.expire(channel.uaid, nowMs);
      messages.insert(channel, message);
      const isTooMany = messages.count(channel.uaid) > MAX_STORED_PER_USER;
      if (isTooMany) reset(channel.uaid);
      return !isTooMany;
    },
    stored: (uaid, { limit, except, nowMs }) => {
      messages.expire(uaid, nowMs);
      return messages
        .all(uaid)
        .filter(({ version }) => !except.has(version))
        .slice(0, limit);
    },
    acknowledge: messages.remove,
    reset,
  };
}

function createChannelTable(db: DatabaseSync) {
  const active = db.prepare(
    'SELECT 1 FROM push_channel WHERE uaid = ? AND removed IS NULL LIMIT 1',
  );
  const ofChannel = db.prepare(
    'SELECT * FROM push_channel WHERE uaid = ? AND channel_id = ? AND removed IS NULL',
  );
  const insert = db.prepare(
    'INSERT INTO push_channel (token, uaid, channel_id, vapid_key) VALUES (?, ?, ?, ?)',
  );
  const byToken = db.prepare('SELECT * FROM push_channel WHERE token = ?');
  const remove = db.prepare(
    "UPDATE push_channel SET removed = 'unregistered' WHERE uaid = ? AND channel_id = ? AND removed IS NULL",
  );
  const reset = db.prepare(
    "UPDATE push_channel SET removed = 'user-reset' WHERE uaid = ? AND removed IS NULL",
  );
  return {
    exists: (uaid: string) => active.get(uaid) !== undefined,
    register: (uaid: string, channelId: string, vapidKey: string | undefined) => {
      const known = ofChannel.all(uaid, channelId).map((row) => ChannelRow.parse(row));
      const same = known.find((channel) => channel.vapidKey === vapidKey);
      if (same) return same.token;
      const token = createEndpointToken();
      insert.run(token, uaid, channelId, vapidKey ?? null);
      return token;
    },
    find: (token: string) => {
      const row = byToken.get(token);
      return row === undefined ? undefined : ChannelRow.parse(row);
    },
    remove: (uaid: string, channelId: string) => remove.run(uaid, channelId),
    reset: (uaid: string) => reset.run(uaid),
  };
}

function createMessageTable(db: DatabaseSync) {
  const clearTopic = db.prepare('DELETE FROM push_message WHERE token = ? AND topic = ?');
  const insert = db.prepare(
    'INSERT INTO push_message (version, uaid, token, channel_id, topic, body, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const count = db.prepare('SELECT count(*) AS n FROM push_message WHERE uaid = ?');
  const expire = db.prepare('DELETE FROM push_message WHERE uaid = ? AND expires_ms <= ?');
  const all = db.prepare(
    'SELECT version, channel_id, body FROM push_message WHERE uaid = ? ORDER BY sequence',
  );
  const remove = db.prepare('DELETE FROM push_message WHERE uaid = ? AND version = ?');
  const clear = db.prepare('DELETE FROM push_message WHERE uaid = ?');
  const clearChannel = db.prepare('DELETE FROM push_message WHERE uaid = ? AND channel_id = ?');
  return {
    insert: ({ uaid, token, channelId }: Channel, message: WebPushDelivery) => {
      const { version, topic, body, expiresMs } = message;
      if (topic !== undefined) clearTopic.run(token, topic);
      insert.run(version, uaid, token, channelId, topic ?? null, body, expiresMs);
    },
    count: (uaid: string) => Number(count.get(uaid)?.['n']),
    expire: (uaid: string, nowMs: number) => expire.run(uaid, nowMs),
    all: (uaid: string): StoredMessage[] =>
      all.all(uaid).map((row) => {
        const { version, channel_id: channelId, body } = MessageRow.parse(row);
        return { version, channelId, body: Buffer.from(body) };
      }),
    remove: (uaid: string, version: string) => {
      remove.run(uaid, version);
    },
    clear: (uaid: string) => clear.run(uaid),
    clearChannel: (uaid: string, channelId: string) => clearChannel.run(uaid, channelId),
  };
}
