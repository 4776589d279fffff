import { WebSocket } from 'ws';
import { z } from 'zod';
import { openSocket } from './open-socket.ts';

const FcmDelivery = z.object({ messageId: z.string().max(200), data: z.unknown() });

type ConnectionEnd = 'closed' | 'token-refused';

interface ConnectionEvents {
  readonly onOpen: () => void;
  readonly onData: (data: unknown) => Promise<void>;
}

/**
 * One connection of an emulated FCM device: messages in, each acknowledged once it was handled. Resolves when it has
 * ended, whatever the reason; aborting the signal ends it.
 */
export function connectFcmDevice(
  url: string,
  token: string,
  { onOpen, onData }: ConnectionEvents,
  signal: AbortSignal,
): Promise<ConnectionEnd> {
  const address = new URL(url);
  address.searchParams.set('token', token);
  const socket = openSocket(address, signal);
  return new Promise((resolve) => {
    let refused = false;
    socket.once('unexpected-response', (request, response) => {
      const status = response.statusCode ?? 0;
      refused = status >= 400 && status < 500;
      response.resume();
      request.destroy();
      socket.terminate();
    });
    socket.once('open', onOpen);
    socket.on('message', (data) => {
      const delivery = parseDelivery(String(data));
      if (!delivery) return;
      void onData(delivery.data).then(() => {
        if (socket.readyState === WebSocket.OPEN)
          socket.send(JSON.stringify({ ack: delivery.messageId }));
      });
    });
    socket.once('close', (code) => {
      // 1008 and the private codes are the server's way to say that it does not want this token.
      resolve(refused || code === 1008 || code >= 4000 ? 'token-refused' : 'closed');
    });
  });
}

function parseDelivery(text: string): z.infer<typeof FcmDelivery> | undefined {
  try {
    return FcmDelivery.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
