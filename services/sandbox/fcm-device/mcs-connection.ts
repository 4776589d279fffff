import type { Duplex } from 'node:stream';
import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { DeviceIdentity } from '../../../shared/mcs/check-in.ts';
import { createFrameReader, MCS_VERSION, McsError } from '../../../shared/mcs/frame-reader.ts';
import {
  decodeStanza,
  encodeStanza,
  type KnownStanza,
  type LoginRequest,
  type Stanza,
} from '../../../shared/mcs/stanzas.ts';
import type { WaitingMessage } from './store.ts';

export interface McsTimings {
  /** Who has not logged in by then is sent away. */
  readonly loginMs: number;
  /** The server's own heartbeats; a client that says nothing between two of them is gone. */
  readonly pingMs: number;
}

export interface McsConnection {
  readonly androidId: string;
  /** Writes a message. False: the client does not read, and the connection ends. */
  readonly deliver: (message: { persistentId?: string; bytes: Buffer }) => boolean;
  /** Says that it is over, and ends. */
  readonly replace: () => void;
}

interface McsConnectionDeps {
  readonly knows: (identity: DeviceIdentity) => boolean;
  /** Logged in: what waits is the caller's to deliver. */
  readonly onLogin: (connection: McsConnection) => void;
  readonly onEnd: (connection: McsConnection) => void;
  readonly acknowledge: (androidId: string, persistentIds: readonly string[]) => void;
  readonly timings: McsTimings;
  readonly now: () => number;
  readonly log: Logger;
}

/** What one connection knows. Both directions count their messages from 1, which is the login. */
interface State {
  readonly socket: Duplex;
  connection: McsConnection | undefined;
  received: number;
  sent: number;
  /** Place in our stream → persistent id, of what went out and was not acknowledged yet. */
  readonly inFlight: Map<number, string>;
  heard: boolean;
}

/** What is written and not taken by the client yet; all that is stored for one device is less. */
const MAX_UNREAD_BYTES = 2 * 1024 * 1024;
/** A client that acknowledges nothing is as good as none: what is stored comes again to its next connection. */
const MAX_IN_FLIGHT = 1_000;
const MCS_DOMAIN = 'mcs.android.com';
const UNAUTHORISED = 401;

/** Serves one device's stream: Google's Mobile Connection Server, as Chromium's client speaks with it. */
export function serveMcsConnection(socket: Duplex, deps: McsConnectionDeps): void {
  const state: State = {
    socket,
    connection: undefined,
    received: 0,
    sent: 0,
    inFlight: new Map(),
    heard: true,
  };
  const reader = createFrameReader();
  const login = setTimeout(() => {
    if (!state.connection) socket.destroy();
  }, deps.timings.loginMs);
  const ping = setInterval(() => keepAlive(state), deps.timings.pingMs);
  socket.on('data', (chunk: Buffer) => {
    state.heard = true;
    try {
      for (const frame of reader.push(chunk)) {
        if (socket.destroyed) return;
        state.received++;
        handle(decodeStanza(frame), state, deps);
      }
    } catch (error) {
      if (!(error instanceof McsError)) throw error;
      deps.log.debug(errorFields(error), 'mcs: a client broke the protocol');
      socket.destroy();
    }
  });
  socket.on('error', (error) => deps.log.debug({ error: error.message }, 'mcs: socket failed'));
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    clearTimeout(login);
    clearInterval(ping);
    if (state.connection) deps.onEnd(state.connection);
  });
}

function keepAlive(state: State): void {
  if (!state.heard) state.socket.destroy();
  else if (state.connection) {
    state.heard = false;
    say({ kind: 'heartbeat-ping', lastStreamId: state.received }, state);
  }
}

function say(stanza: KnownStanza, state: State): void {
  state.sent++;
  state.socket.write(encodeStanza(stanza));
}

function handle(stanza: Stanza, state: State, deps: McsConnectionDeps): void {
  if (stanza.kind === 'login-request') {
    if (state.connection) throw new McsError('a second login');
    logIn(stanza, state, deps);
    return;
  }
  const { connection } = state;
  if (!connection) throw new McsError('the login comes first');
  if ('lastStreamId' in stanza && stanza.lastStreamId !== undefined)
    acknowledgeUpTo(stanza.lastStreamId, connection, state, deps);
  switch (stanza.kind) {
    case 'heartbeat-ping':
      say({ kind: 'heartbeat-ack', lastStreamId: state.received }, state);
      return;
    case 'iq':
      if (stanza.extension?.kind === 'selective-ack')
        deps.acknowledge(connection.androidId, stanza.extension.ids);
      return;
    case 'close':
      state.socket.end();
      return;
    default:
      // Acknowledged heartbeats, and messages from the device to its app's server, which nobody here takes.
      return;
  }
}

function logIn(login: LoginRequest, state: State, deps: McsConnectionDeps): void {
  const identity = { androidId: login.user, securityToken: login.authToken };
  const isRight =
    login.domain === MCS_DOMAIN && login.resource === login.user && deps.knows(identity);
  state.socket.write(Buffer.from([MCS_VERSION]));
  const answer = { kind: 'login-response', id: login.id, lastStreamId: 1 } as const;
  if (!isRight) {
    say({ ...answer, error: { code: UNAUTHORISED, message: 'Authentication failed' } }, state);
    state.socket.end();
    return;
  }
  const connection: McsConnection = {
    androidId: identity.androidId,
    deliver: (message) => deliver(message, state),
    replace: () => {
      say({ kind: 'close' }, state);
      state.socket.end();
    },
  };
  state.connection = connection;
  deps.acknowledge(identity.androidId, login.receivedIds);
  say({ ...answer, serverTimeMs: deps.now() }, state);
  deps.onLogin(connection);
}

function deliver(
  { persistentId, bytes }: { persistentId?: string; bytes: WaitingMessage['bytes'] },
  state: State,
): boolean {
  const { socket } = state;
  if (socket.destroyed || socket.writableEnded) return false;
  const isTooMuch = socket.writableLength + bytes.length > MAX_UNREAD_BYTES;
  if (isTooMuch || state.inFlight.size >= MAX_IN_FLIGHT) {
    socket.destroy();
    return false;
  }
  state.sent++;
  if (persistentId !== undefined) state.inFlight.set(state.sent, persistentId);
  socket.write(bytes);
  return true;
}

function acknowledgeUpTo(
  lastStreamId: number,
  { androidId }: McsConnection,
  { inFlight }: State,
  deps: McsConnectionDeps,
): void {
  const places = [...inFlight.keys()].filter((place) => place <= lastStreamId);
  if (places.length === 0) return;
  deps.acknowledge(
    androidId,
    places.flatMap((place) => inFlight.get(place) ?? []),
  );
  for (const place of places) inFlight.delete(place);
}
