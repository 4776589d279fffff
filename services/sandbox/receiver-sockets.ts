import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { listen } from '../../shared/http/listen.ts';
import type { AutopushServer } from './autopush-server.ts';
import type { FcmDeviceSide } from './fcm-device-side.ts';

interface ReceiverSocketsDeps {
  readonly autopush: AutopushServer;
  readonly fcm: FcmDeviceSide;
}

/** A receiver's message is an acknowledgement or a registration: never large. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** The plain WebSocket port: `/` is autopush, `/fcm?token=…` is FCM's device side. */
export async function listenReceivers(
  { host, port }: { host: string; port: number },
  { autopush, fcm }: ReceiverSocketsDeps,
): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('push-notification') ? 'push-notification' : false),
  });
  const {
    server,
    port: bound,
    close,
  } = await listen(
    (_request, response) => {
      response.writeHead(426, { upgrade: 'websocket' }).end('This port speaks WebSocket\n');
    },
    { host, port },
  );
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const url = new URL(request.url ?? '/', 'ws://receiver');
    const token = url.searchParams.get('token') ?? '';
    const isFcm = url.pathname === '/fcm' && fcm.admits(token);
    if (!isFcm && url.pathname !== '/') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      if (isFcm) fcm.connect(token, client);
      else autopush.connect(client);
    });
  });
  return {
    port: bound,
    close: () => {
      for (const client of sockets.clients) client.terminate();
      return close();
    },
  };
}
