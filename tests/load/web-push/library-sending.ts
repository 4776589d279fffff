import { Agent } from 'node:https';
import webpush from 'web-push';
import { benchMessage, clearTextOf, type Payload, TTL_MS } from '../bench-messages.ts';
import type { Contender, Target } from '../contest/contender.ts';
import { keepInFlight } from '../contest/in-flight.ts';
import { createDevices, createVapidKeys } from './bench-devices.ts';

/** Sends that are under way at a time: what our own sender has over HTTP/1.1. */
const IN_FLIGHT = 100;
const TTL_SECONDS = TTL_MS / 1000;

/** web-push as installed: Node's global agent, which keeps connections since Node 19. */
export function asShipped(target: Target, payload: Payload): Promise<Contender> {
  return library(target, payload, undefined);
}

/** web-push with an agent made for the purpose. */
export function withAgent(target: Target, payload: Payload): Promise<Contender> {
  return library(target, payload, new Agent({ keepAlive: true, maxSockets: IN_FLIGHT }));
}

async function library(
  { port }: Target,
  payload: Payload,
  agent: Agent | undefined,
): Promise<Contender> {
  const vapidDetails = createVapidKeys();
  const devices = createDevices(`https://localhost:${port}`);
  const clear = clearTextOf(await benchMessage(payload));
  const options = { vapidDetails, TTL: TTL_SECONDS, urgency: 'high' as const };
  return {
    run: async (messages) => {
      await keepInFlight(IN_FLIGHT, messages, async (i) => {
        const device = devices[i % devices.length];
        if (!device) return;
        await webpush.sendNotification(device, clear, { ...options, ...(agent ? { agent } : {}) });
      });
      return undefined;
    },
    close: async () => agent?.destroy(),
  };
}

/** node-pushnotifications, which sends all that it is given at once: so many a call as the others have in flight. */
export async function nodePushNotifications(
  { port }: Target,
  payload: Payload,
): Promise<Contender> {
  const { default: PushNotifications } = await import('node-pushnotifications');
  const sender = new PushNotifications({
    web: { vapidDetails: createVapidKeys(), TTL: TTL_SECONDS, urgency: 'high' },
  });
  const devices = createDevices(`https://localhost:${port}`);
  const text = clearTextOf(await benchMessage(payload)).toString('latin1');
  return {
    run: async (messages) => {
      for (let sent = 0; sent < messages; sent += IN_FLIGHT) {
        const from = sent % devices.length;
        const batch = devices.slice(from, from + Math.min(IN_FLIGHT, messages - sent));
        const results = await sender.send(batch, text);
        const failed = results.find(({ failure }) => failure > 0);
        if (failed) throw new Error(failed.message[0]?.errorMsg ?? 'a message failed');
      }
      return undefined;
    },
    close: () => Promise.resolve(),
  };
}
