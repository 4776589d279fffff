import { WebSocket } from 'ws';

const HANDSHAKE_LIMIT_MS = 5_000;
/** The link is asked this often whether it lives, by WebSocket's own ping. */
const PING_MS = 15_000;
/** 4,096 bytes as base64 in JSON, with room; an FCM data message is at most 4 KB too. */
const MAX_FRAME_BYTES = 64 * 1024;

interface SocketOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Of the service's certificate; default: what Node trusts. */
  readonly ca?: string | undefined;
  readonly pingMs?: number;
}

/**
 * A WebSocket to a push service, of which `close` is always heard: when its signal aborts, when it is not open in time, and
 * when it has not answered a ping by the next one. A link that is dead and does not say so would look like a quiet night.
 */
export function openSocket(
  address: URL,
  signal: AbortSignal,
  { headers, ca, pingMs = PING_MS }: SocketOptions = {},
): WebSocket {
  const socket = new WebSocket(address.href, {
    handshakeTimeout: HANDSHAKE_LIMIT_MS,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    ...(headers === undefined ? {} : { headers }),
    ...(ca === undefined ? {} : { ca }),
  });
  const stop = () => socket.terminate();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  let answered = true;
  const ping = setInterval(() => {
    if (!answered) stop();
    else if (socket.readyState === WebSocket.OPEN) {
      answered = false;
      socket.ping();
    }
  }, pingMs);
  socket.on('pong', () => {
    answered = true;
  });
  // An error is always followed by 'close'.
  socket.on('error', () => undefined);
  socket.once('close', () => {
    clearInterval(ping);
    signal.removeEventListener('abort', stop);
  });
  return socket;
}
