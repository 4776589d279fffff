import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { errorFields } from '../../../../shared/log/error-fields.ts';
import type { Logger } from '../../../../shared/log/logger.ts';
import type { DeviceIdentity } from '../../../../shared/mcs/check-in.ts';
import { createFrameReader, MCS_VERSION, McsError } from '../../../../shared/mcs/frame-reader.ts';
import {
  type DataMessage,
  decodeStanza,
  encodeStanza,
  type KnownStanza,
  type Stanza,
} from '../../../../shared/mcs/stanzas.ts';
import { CHROME_VERSION } from './register-device.ts';

export interface McsTimings {
  /** From the first packet to the answered login. */
  readonly loginMs: number;
  /** After so long a silence the server is asked whether it lives. */
  readonly silenceMs: number;
  /** It has so long to answer. */
  readonly answerMs: number;
}

/** A dead link is seen within a minute; Chrome takes up to half an hour, which a canary cannot. */
export const MCS_CLIENT_TIMINGS: McsTimings = {
  loginMs: 10_000,
  silenceMs: 30_000,
  answerMs: 15_000,
};

interface McsSession {
  readonly server: { readonly host: string; readonly port: number };
  readonly identity: DeviceIdentity;
  /** Persistent ids of what was taken already: the server forgets these messages. */
  readonly receivedIds: readonly string[];
  readonly timings: McsTimings;
}

interface McsEvents {
  readonly onLogin: () => void;
  /** Called for one message at a time; the next one waits, and the message is acknowledged when it has resolved. */
  readonly onData: (message: DataMessage) => Promise<void>;
}

interface McsClientDeps {
  readonly log: Logger;
  /** Of a clock that never goes back (ms). */
  readonly now: () => number;
  /** What the server's certificate has to come from, PEM; absent: what Node trusts. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

export type McsEnd = 'closed' | 'login-refused';

/** What is read and not handled yet: the server stores 100 messages for a device, and says little else. */
const MAX_QUEUED = 500;
/** How often silence is looked at, for each silence that is allowed. */
const LOOKS_PER_SILENCE = 5;

/**
 * One connection to Google's Mobile Connection Server (or the sandbox's) as a device: TLS with the certificate and the
 * host's name checked, login, messages in, each acknowledged once it was handled. Resolves when it has ended, whatever
 * the reason; aborting the signal ends it.
 */
export function runMcsSession(
  session: McsSession,
  events: McsEvents,
  deps: McsClientDeps,
): Promise<McsEnd> {
  const { host, port } = session.server;
  const socket = connect({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    minVersion: 'TLSv1.2',
  });
  const stream = createStream(socket, events, deps.log);
  const stop = () => socket.destroy();
  deps.signal.addEventListener('abort', stop, { once: true });
  if (deps.signal.aborted) stop();
  let heardMs = deps.now();
  const login = setTimeout(() => {
    if (!stream.loggedIn()) socket.destroy();
  }, session.timings.loginMs);
  const { silenceMs, answerMs } = session.timings;
  let asked = false;
  const look = setInterval(() => {
    const silentMs = deps.now() - heardMs;
    if (silentMs > silenceMs + answerMs) socket.destroy();
    else if (silentMs > silenceMs && !asked && stream.loggedIn()) {
      asked = true;
      stream.ping();
    }
  }, silenceMs / LOOKS_PER_SILENCE);
  socket.once('secureConnect', () => {
    socket.write(Buffer.concat([Buffer.from([MCS_VERSION]), encodeStanza(loginOf(session))]));
  });
  socket.on('data', (chunk: Buffer) => {
    heardMs = deps.now();
    asked = false;
    stream.take(chunk);
  });
  return new Promise((resolve) => {
    // An error is always followed by 'close'.
    socket.on('error', (error) => deps.log.debug(errorFields(error), 'MCS connection failed'));
    socket.once('close', () => {
      clearTimeout(login);
      clearInterval(look);
      deps.signal.removeEventListener('abort', stop);
      resolve(stream.refused() ? 'login-refused' : 'closed');
    });
  });
}

function loginOf({ identity, receivedIds }: McsSession): KnownStanza {
  const { androidId, securityToken } = identity;
  return {
    kind: 'login-request',
    id: `chrome-${CHROME_VERSION}`,
    domain: 'mcs.android.com',
    user: androidId,
    resource: androidId,
    authToken: securityToken,
    deviceId: `android-${BigInt(androidId).toString(16)}`,
    receivedIds,
  };
}

interface McsStream {
  readonly take: (chunk: Buffer) => void;
  readonly ping: () => void;
  readonly loggedIn: () => boolean;
  readonly refused: () => boolean;
}

/** What is said on a connection: in order, one after the other, so that an acknowledgement is true for all before it. */
function createStream(socket: TLSSocket, events: McsEvents, log: Logger): McsStream {
  const reader = createFrameReader();
  const queue: Stanza[] = [];
  let isWorking = false;
  let state: 'new' | 'logged-in' | 'refused' = 'new';
  /** The server's stream, counted from the answer to the login; all up to here was handled. */
  let lastStreamId = 0;
  const say = (stanza: KnownStanza) => {
    if (socket.writable) socket.write(encodeStanza(stanza));
  };
  const logIn = (stanza: Stanza) => {
    if (stanza.kind !== 'login-response') throw new McsError('the answer to the login comes first');
    state = stanza.error ? 'refused' : 'logged-in';
    if (stanza.error) {
      log.warn({ code: stanza.error.code }, 'the MCS server refused the login');
      socket.destroy();
    } else events.onLogin();
  };
  const handle = async (stanza: Stanza) => {
    if (state === 'new') logIn(stanza);
    else if (stanza.kind === 'data') {
      await events.onData(stanza);
      return { kind: 'iq', id: '', extension: { kind: 'stream-ack' } } as const;
    } else if (stanza.kind === 'heartbeat-ping') return { kind: 'heartbeat-ack' } as const;
    else if (stanza.kind === 'close' || stanza.kind === 'stream-error') socket.end();
    return undefined;
  };
  const work = async () => {
    if (isWorking) return;
    isWorking = true;
    for (let next = queue.shift(); next && !socket.destroyed; next = queue.shift()) {
      const answer = await handle(next);
      lastStreamId++;
      if (answer) say({ ...answer, lastStreamId });
    }
    isWorking = false;
  };
  const broken = (error: unknown) => {
    if (error instanceof McsError)
      log.warn(errorFields(error), 'the MCS server broke the protocol');
    else log.error(errorFields(error), 'a message of the MCS server could not be handled');
    socket.destroy();
  };
  return {
    take: (chunk) => {
      try {
        queue.push(...reader.push(chunk).map(decodeStanza));
        if (queue.length > MAX_QUEUED)
          throw new McsError('messages come faster than they are taken');
        void work().catch(broken);
      } catch (error) {
        broken(error);
      }
    },
    ping: () => say({ kind: 'heartbeat-ping', lastStreamId }),
    loggedIn: () => state === 'logged-in',
    refused: () => state === 'refused',
  };
}
