import { config as configureZod } from 'zod';
import { browserSubscription } from '../../../shared/browser/push-subscription.ts';
import { type Received, receive } from '../../../shared/device/receive.ts';
import { createVerifier } from '../../../shared/envelope/signature.ts';
import { receiptTrace } from '../../../shared/trace/trace-context.ts';
import { deviceMemory, forgetAlert, type Keys, readValue } from './device-store.ts';
import { keptKeys, newerKeys, refreshKeys, refreshKeysDaily } from './keys.ts';
import { notificationPlan } from './notification-plan.ts';
import { register } from './registration.ts';

declare const self: ServiceWorkerGlobalScope;

// The page's policy forbids code made from text, which zod would try otherwise.
configureZod({ jitless: true });

self.addEventListener('install', () => {
  void self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([self.clients.claim(), refreshKeys()]));
});

self.addEventListener('push', (event) => {
  event.waitUntil(onPush(event.data?.text() ?? ''));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { url } = (event.notification.data ?? {}) as { url?: unknown };
  event.waitUntil(
    self.clients.openWindow(typeof url === 'string' && url.startsWith('/') ? url : '/'),
  );
});

self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(resubscribe());
});

/** The way of one push: verify, decide, show, then everything that may fail without harm. */
async function onPush(text: string): Promise<void> {
  const payload = parseJson(text);
  const keys = await keptKeys();
  let received = await receiveWith(keys, payload);
  if (received.decision.action === 'refused' && received.decision.reason === 'unsigned') {
    const newer = await newerKeys();
    if (newer) received = await receiveWith(newer, payload);
  }
  await show(received);
  await tellPages(received);
  await sendReceipt(received);
  await refreshKeysDaily();
}

function receiveWith(keys: Keys | undefined, payload: unknown): Promise<Received> {
  const verify = createVerifier(keys?.keySet ?? { keys: [] }, 'alert');
  return receive(payload, { verify, accepts: ['public'], store: deviceMemory, now: Date.now });
}

async function show(received: Received): Promise<void> {
  const { close, show: toShow } = notificationPlan(received);
  for (const tag of close)
    for (const notification of await self.registration.getNotifications({ tag }))
      notification.close();
  try {
    for (const { title, options } of toShow)
      await self.registration.showNotification(title, options);
  } catch (error) {
    // Remembered as shown and not shown: the repeat that comes by the other way has to be.
    if (received.message) await forgetAlert(received.message.id);
    throw error;
  }
}

async function tellPages({ decision, message }: Received): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  for (const page of pages) page.postMessage({ type: 'tocsin-received', decision, message });
}

/** Counts on the other side; nobody is followed, and no answer is waited for longer than it takes. */
async function sendReceipt({ decision, message, via, traceId }: Received): Promise<void> {
  if (!message || via === undefined || decision.action === 'refused') return;
  const receipt = {
    v: 1,
    alertId: message.id,
    transport: 'web-push',
    action: decision.action,
    via,
    receivedAt: new Date().toISOString(),
  };
  await fetch('/v1/receipts', {
    method: 'POST',
    keepalive: true,
    headers: { 'Content-Type': 'application/json', ...receiptTrace(traceId) },
    body: JSON.stringify(receipt),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
}

/** The browser's push service gave this device a new address: register it, or no alert would come any more. */
async function resubscribe(): Promise<void> {
  const [profile, keys] = [await readValue('profile'), await keptKeys()];
  if (!profile || !keys) return;
  await register(
    profile,
    await browserSubscription(self.registration.pushManager, keys.vapidPublicKey),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
