import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Logger } from '../../shared/log/logger.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { type AutopushFrame, isChannelId, parseAutopushFrame } from './autopush-frames.ts';
import type { AutopushUsers, Channel, StoredMessage } from './autopush-users.ts';
import type { Delivered } from './fcm-devices.ts';
import { isApplicationServerKey } from './vapid.ts';
import type { FindWebPushReceiver, WebPushDelivery } from './web-push-receivers.ts';

export interface AutopushTimings {
  /** A connection that has not said hello by then is ended. */
  readonly helloMs: number;
  /** The server's own WebSocket pings. */
  readonly pingMs: number;
  readonly pongMs: number;
  /** A client that sends `{}` more often is ended. */
  readonly minClientPingMs: number;
}

/** Mozilla's (autopush-rs, autoconnect settings). */
export const AUTOPUSH_TIMINGS: AutopushTimings = {
  helloMs: 5_000,
  pingMs: 300_000,
  pongMs: 4_000,
  minClientPingMs: 45_000,
};

interface AutopushDeps {
  readonly users: AutopushUsers;
  readonly origin: () => string;
  readonly timings: AutopushTimings;
  readonly now: Clock;
  readonly log: Logger;
}

export interface AutopushServer {
  connect(socket: WebSocket): void;
  find: FindWebPushReceiver;
}

/** Stored messages go out in batches; the next one when all of the last are acknowledged. */
const BATCH = 10;

interface Connection {
  readonly socket: WebSocket;
  uaid: string | undefined;
  lastPingMs: number | undefined;
  /** Sent on this connection and not acknowledged yet. */
  readonly inFlight: Set<string>;
}

/** The browser's side of the push service: Mozilla's autopush protocol over WebSocket. */
export function createAutopushServer(deps: AutopushDeps): AutopushServer {
  const online = new Map<string, Connection>();
  return {
    connect: (socket) => {
      const connection: Connection = {
        socket,
        uaid: undefined,
        lastPingMs: undefined,
        inFlight: new Set(),
      };
      watch(connection, deps);
      socket.on('message', (raw, isBinary) => {
        const frame = isBinary ? undefined : parseAutopushFrame(raw.toString());
        if (frame === undefined) socket.close(4000, 'not a message of this protocol');
        else handle(frame, connection, online, deps);
      });
      socket.on('close', () => {
        const { uaid } = connection;
        if (uaid !== undefined && online.get(uaid) === connection) online.delete(uaid);
      });
    },
    find: (token) => {
      const channel = deps.users.find(token);
      if (channel === undefined) return undefined;
      if (channel.removed !== undefined) return { kind: 'gone', reason: channel.removed };
      const deliver = (message: WebPushDelivery) => deliverTo(channel, message, online, deps);
      return { kind: 'found', receiver: { vapidKey: channel.vapidKey, deliver } };
    },
  };
}

/** Ends a connection that says nothing, or that no longer answers pings. */
function watch({ socket }: Connection, { timings, log }: AutopushDeps): void {
  const hello = setTimeout(() => socket.close(4001, 'no hello'), timings.helloMs);
  let pong: NodeJS.Timeout | undefined;
  const ping = setInterval(() => {
    socket.ping();
    pong = setTimeout(() => socket.terminate(), timings.pongMs);
  }, timings.pingMs);
  socket.once('message', () => clearTimeout(hello));
  socket.on('pong', () => clearTimeout(pong));
  socket.on('error', (error) => log.debug({ error: error.message }, 'autopush: socket failed'));
  socket.on('close', () => {
    clearTimeout(hello);
    clearTimeout(pong);
    clearInterval(ping);
  });
}

function handle(
  frame: AutopushFrame,
  connection: Connection,
  online: Map<string, Connection>,
  deps: AutopushDeps,
): void {
  const { socket, uaid } = connection;
  if (frame.messageType === 'hello') {
    if (uaid === undefined) hello(frame.uaid ?? undefined, connection, online, deps);
    else socket.close(4000, 'hello came twice');
    return;
  }
  if (uaid === undefined) {
    socket.close(4000, 'hello comes first');
    return;
  }
  switch (frame.messageType) {
    case 'ping':
      answerPing(connection, deps);
      return;
    case 'register':
      register(frame.channelID, frame.key ?? undefined, uaid, socket, deps);
      return;
    case 'unregister':
      deps.users.unregister(uaid, frame.channelID);
      say(socket, { messageType: 'unregister', channelID: frame.channelID, status: 200 });
      return;
    case 'ack':
      acknowledge(frame.updates, connection, uaid, deps);
      return;
    case 'nack':
      // 301: not shown or no permission; 302: the page's service worker threw; 303: other.
      deps.log.warn({ code: frame.code }, 'autopush: a page in a browser failed on a message');
      return;
    case 'broadcast_subscribe':
      // Broadcasts (Mozilla's remote settings) have no place here; autopush does not answer them either.
      return;
  }
}

const say = (socket: WebSocket, message: Readonly<Record<string, unknown>>) =>
  socket.send(JSON.stringify(message));

function hello(
  claimed: string | undefined,
  connection: Connection,
  online: Map<string, Connection>,
  deps: AutopushDeps,
): void {
  const isKnown = claimed !== undefined && deps.users.exists(claimed);
  const uaid = isKnown ? claimed : randomBytes(16).toString('hex');
  connection.uaid = uaid;
  // One user has one connection: the older one would be a ghost that takes messages away.
  online.get(uaid)?.socket.close(4774, 'replaced by a newer connection');
  online.set(uaid, connection);
  say(connection.socket, {
    messageType: 'hello',
    uaid,
    status: 200,
    use_webpush: true,
    broadcasts: {},
  });
  sendBatch(connection, uaid, deps);
}

function answerPing(connection: Connection, { timings, now }: AutopushDeps): void {
  const last = connection.lastPingMs;
  connection.lastPingMs = now();
  if (last !== undefined && now() - last < timings.minClientPingMs)
    connection.socket.close(4000, 'pings too often');
  else connection.socket.send('{}');
}

function register(
  channelId: string,
  key: string | undefined,
  uaid: string,
  socket: WebSocket,
  { users, origin }: AutopushDeps,
): void {
  const isRight = isChannelId(channelId) && (key === undefined || isApplicationServerKey(key));
  const answer = { messageType: 'register', channelID: channelId };
  if (!isRight) {
    say(socket, { ...answer, status: 400, pushEndpoint: '' });
    return;
  }
  const token = users.register(uaid, channelId, key);
  say(socket, { ...answer, status: 200, pushEndpoint: `${origin()}/wpush/v2/${token}` });
}

function acknowledge(
  updates: readonly { version: string }[],
  connection: Connection,
  uaid: string,
  deps: AutopushDeps,
): void {
  for (const { version } of updates) {
    // Whatever the code says (delivered, not decrypted, not shown), the browser will not want it again.
    deps.users.acknowledge(uaid, version);
    connection.inFlight.delete(version);
  }
  if (connection.inFlight.size === 0) sendBatch(connection, uaid, deps);
}

function sendBatch(connection: Connection, uaid: string, { users, now }: AutopushDeps): void {
  const except = connection.inFlight;
  for (const message of users.stored(uaid, { limit: BATCH, except, nowMs: now() }))
    notify(connection, message);
}

function notify(
  { socket, inFlight }: Connection,
  { version, channelId, body }: StoredMessage,
): void {
  inFlight.add(version);
  say(socket, {
    messageType: 'notification',
    channelID: channelId,
    version,
    ...(body.length === 0
      ? {}
      : { data: body.toString('base64url'), headers: { encoding: 'aes128gcm' } }),
  });
}

function deliverTo(
  channel: Channel,
  message: WebPushDelivery,
  online: ReadonlyMap<string, Connection>,
  { users, now, log }: AutopushDeps,
): Delivered {
  const connection = online.get(channel.uaid);
  const isOnline = connection?.socket.readyState === 1;
  if (message.ttlSeconds > 0 && !users.store(channel, message, now())) {
    log.warn('autopush: a user had too many messages waiting and was reset');
    connection?.socket.close(4000, 'user reset');
    return 'dropped';
  }
  if (!isOnline || connection === undefined) return message.ttlSeconds > 0 ? 'stored' : 'dropped';
  notify(connection, {
    version: message.version,
    channelId: channel.channelId,
    body: message.body,
  });
  return 'delivered';
}
