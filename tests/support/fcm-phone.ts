import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { type RunningSystem, urlOf } from '../../deploy/demo/find-system.ts';
import { createInMemoryStore } from '../../shared/device/in-memory-store.ts';
import { type Received, receive } from '../../shared/device/receive.ts';
import { KeySet } from '../../shared/envelope/key-set.ts';
import { createVerifier } from '../../shared/envelope/signature.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import type { Subscription } from '../../shared/subscription/subscription.ts';

/** One phone behind the stand-in of FCM, seen from inside: what came, and what it made of it. */
export interface FcmPhone {
  readonly subscription: Subscription;
  /** Everything that came since it was switched on, as a device judges it. */
  readonly received: readonly Received[];
  /** Connects, gets what was stored meanwhile, and stays on. */
  readonly switchOn: () => Promise<void>;
  readonly switchOff: () => Promise<void>;
}

const Delivery = z.object({ messageId: z.string(), data: z.unknown() });

/** Gets a token from the sandbox; registering the subscription is the caller's. */
export async function newFcmPhone(system: RunningSystem, areaCode: string): Promise<FcmPhone> {
  const { token } = await fetchJson(`${urlOf(system, 'sandbox')}/fcm/tokens`, {
    schema: z.object({ token: z.string() }),
    timeoutMs: 5_000,
    method: 'POST',
  });
  const keySet = KeySet.parse(
    JSON.parse(readFileSync(join(system.stateDir, 'trusted-keys.json'), 'utf8')),
  );
  const device = {
    verify: createVerifier(keySet, 'alert'),
    accepts: ['public'] as const,
    store: createInMemoryStore(),
    now: Date.now,
  };
  const received: Received[] = [];
  let socket: WebSocket | undefined;
  return {
    subscription: {
      deviceId: randomBytes(16).toString('base64url'),
      address: { transport: 'fcm', token },
      areaCodes: [areaCode],
      language: 'fr-FR',
      appVersion: 'test',
    },
    received,
    switchOn: async () => {
      const opened = new WebSocket(`${urlOf(system, 'receivers')}/fcm?token=${token}`);
      socket = opened;
      opened.on('message', async (raw) => {
        const { messageId, data } = Delivery.parse(JSON.parse(raw.toString()));
        received.push(await receive(data, device));
        opened.send(JSON.stringify({ ack: messageId }));
      });
      await once(opened, 'open');
    },
    switchOff: async () => {
      if (socket?.readyState !== WebSocket.OPEN) return;
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}
