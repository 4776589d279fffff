import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { Logger } from '../../shared/log/logger.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { FcmDelivery, FcmDevices, FcmReceiver } from './fcm-devices.ts';

interface FcmDeviceSideDeps {
  readonly devices: FcmDevices;
  readonly now: Clock;
  readonly log: Logger;
}

export interface FcmDeviceSide {
  /** False when no such device is registered: the socket must not be opened. */
  admits(token: string): boolean;
  /** Sends what is stored, then what comes; each message until it is acknowledged. */
  connect(token: string, socket: WebSocket): void;
  /** Undefined when FCM never gave out this token. */
  find(token: string): FcmReceiver | undefined;
}

const Acknowledgement = z.strictObject({ ack: z.string().max(200) });

/**
 * FCM's side towards a phone, in a form of our own (the real one is a private protocol): JSON
 * `{"messageId", "data"}` down, `{"ack": messageId}` up. What is not acknowledged comes again at the next connection.
 */
export function createFcmDeviceSide({ devices, now, log }: FcmDeviceSideDeps): FcmDeviceSide {
  const online = new Map<string, WebSocket>();
  const push = (socket: WebSocket, message: Pick<FcmDelivery, 'messageId' | 'data'>) =>
    socket.send(JSON.stringify({ messageId: message.messageId, data: message.data }));
  const deliver = (token: string, message: FcmDelivery) => {
    const socket = online.get(token);
    const nowOrNever = message.ttlSeconds <= 0;
    if (!nowOrNever) devices.store(token, message, now());
    if (socket?.readyState === 1) {
      push(socket, message);
      return 'delivered' as const;
    }
    return nowOrNever ? ('dropped' as const) : ('stored' as const);
  };
  return {
    admits: (token) => devices.stateOf(token) === 'registered',
    connect: (token, socket) => {
      online.get(token)?.close(1000, 'replaced by a newer connection');
      online.set(token, socket);
      socket.on('close', () => {
        if (online.get(token) === socket) online.delete(token);
      });
      socket.on('error', (error) =>
        log.debug({ error: error.message }, 'fcm device: socket failed'),
      );
      socket.on('message', (raw) => {
        const parsed = Acknowledgement.safeParse(parseJson(raw.toString()));
        if (parsed.success) devices.acknowledge(token, parsed.data.ack);
        else socket.close(1003, 'send {"ack": messageId}');
      });
      for (const message of devices.stored(token, now())) push(socket, message);
    },
    find: (token) => {
      const state = devices.stateOf(token);
      if (state === undefined) return undefined;
      return { state, deliver: (message) => deliver(token, message) };
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
