import {
  constants,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2Session,
} from 'node:http2';
import type { Socket } from 'node:net';

/** The connections of a provider's port, and what can be done to them. */
export interface Connections {
  /** The connection of this request is reset (TCP RST). */
  reset(request: Http2ServerRequest): void;
  /** Says that this request and all later ones are not processed, and ends the connection with all that is in flight. */
  breakOff(request: Http2ServerRequest): void;
  isBrokenOff(request: Http2ServerRequest): boolean;
  /** All connections end, with what is in flight. */
  endAll(): void;
  /** Takes no new ones and ends the others. */
  close(): Promise<void>;
}

/** For the GOAWAY to go out before the connection ends. */
const LAST_WORDS_MS = 20;
/** What is still open at the end is cut off after this. */
const CLOSE_MS = 200;

/** TLS hides the TCP socket that a reset needs, so it is remembered by the peer's port. */
export function trackConnections(server: Http2SecureServer): Connections {
  const sockets = new Map<number | undefined, Socket>();
  const sessions = new Set<Http2Session>();
  const brokenOff = new WeakSet<Http2Session>();
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.on('close', () => sockets.delete(remotePort));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  const endAll = () => {
    for (const socket of sockets.values()) socket.destroy();
  };
  const isHttp1 = (request: Http2ServerRequest) => request.httpVersionMajor < 2;
  return {
    reset: (request) => sockets.get(request.socket.remotePort)?.resetAndDestroy(),
    breakOff: (request) => {
      const socket = sockets.get(request.socket.remotePort);
      const session = isHttp1(request) ? undefined : request.stream.session;
      if (session === undefined || session.destroyed) {
        socket?.destroy();
        return;
      }
      brokenOff.add(session);
      // RFC 9113 section 6.8: streams above this one were not and will not be processed. Clients' streams are the odd ones.
      session.goaway(constants.NGHTTP2_INTERNAL_ERROR, Math.max(0, (request.stream.id ?? 1) - 2));
      setTimeout(() => socket?.destroy(), LAST_WORDS_MS);
    },
    isBrokenOff: (request) => {
      const session = isHttp1(request) ? undefined : request.stream.session;
      return session !== undefined && brokenOff.has(session);
    },
    endAll,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.close();
        setTimeout(endAll, CLOSE_MS).unref();
      }),
  };
}
