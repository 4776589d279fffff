import { config as configureZod } from 'zod';
import { notificationText } from '../../../../shared/device/notification-text.ts';
import { receive } from '../../../../shared/device/receive.ts';
import type { DeviceMessage } from '../../../../shared/envelope/device-message.ts';
import { PushPayload } from '../../../../shared/envelope/push-payload.ts';
import { createVerifier } from '../../../../shared/envelope/signature.ts';
import { canaryKeys, handIn } from './canary.ts';
import { keepSubscribed } from './receiver.ts';
import { deviceMemory, type Identity, type Received, read, write } from './store.ts';

declare const self: ServiceWorkerGlobalScope;

// The page's policy forbids code made from text, which zod would try otherwise.
configureZod({ jitless: true });

self.addEventListener('install', () => {
  void self.skipWaiting();
});
self.addEventListener('activate', (event) => {
  const keep = caches.open(CACHE).then((cache) => cache.addAll(FILES));
  event.waitUntil(Promise.all([self.clients.claim(), canaryKeys(), keep]));
});
self.addEventListener('push', (event) => {
  event.waitUntil(onPush(event.data?.text() ?? ''));
});
self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(keepSubscribed(self.registration.pushManager));
});
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow('/probe'));
});

/** What the page is made of: kept, so that a device that starts while the canary is away shows its age all the same. */
const FILES = ['/probe', '/probe.js', '/probe.css', '/probe-icon.svg', '/probe.webmanifest'];
const CACHE = 'tocsin-probe';

self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  const isOurs = origin === self.location.origin && FILES.includes(pathname);
  if (isOurs && event.request.method === 'GET') event.respondWith(fromCanary(event.request));
});

async function fromCanary(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await cache.put(new URL(request.url).pathname, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await cache.match(new URL(request.url).pathname);
    if (kept) return kept;
    throw error;
  }
}

/** One push as any device takes it, then a signed receipt. */
async function onPush(text: string): Promise<void> {
  const identity = await read('identity');
  if (identity?.name === undefined) return;
  const payload = parseJson(text);
  const { keySet } = (await read('keys')) ?? (await canaryKeys());
  const { decision, message, via } = await receive(payload, {
    verify: createVerifier(keySet, 'alert'),
    accepts: ['canary', 'public'],
    store: deviceMemory,
    now: Date.now,
  });
  if (decision.action === 'refused' || !message || via === undefined) {
    const reason = decision.action === 'refused' ? decision.reason : 'malformed';
    const bad = { kind: 'bad', headline: '', via: via ?? '', outcome: 'refused', reason } as const;
    await keepAndTell({ atMs: Date.now(), ...bad });
    if (reason === 'unsigned') await canaryKeys();
    return;
  }
  // A repeat is no second proof, and the canary would not count it.
  if (decision.action === 'ignored') return;
  const received = await report({ ...identity, name: identity.name }, message, via, payload);
  await keepAndTell(received);
  await notify(message);
}

async function report(
  identity: Identity & { readonly name: string },
  message: DeviceMessage,
  via: string,
  payload: unknown,
): Promise<Received> {
  const atMs = Date.now();
  const isReal = message.audience === 'public';
  const { outcome, reason } = await handIn(identity, {
    transport: 'web-push',
    via,
    messageId: message.id,
    receivedAt: new Date(atMs).toISOString(),
    ...(isReal ? { alert: PushPayload.parse(payload).alert } : {}),
    ...(isReal || message.nonce === undefined ? {} : { nonce: message.nonce }),
  });
  const kind = isReal ? 'real' : 'test';
  return { atMs, kind, headline: message.headline, via, outcome, reason };
}

async function keepAndTell(received: Received): Promise<void> {
  if (received.kind === 'bad') await write('bad', received);
  else await write('last', received);
  if (received.kind === 'real') await write('real', received);
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  for (const page of pages) page.postMessage({ type: 'tocsin-probe' });
}

/** Browsers take the right to push from who shows nothing: a page in sight is enough, else one quiet line says it. */
async function notify(message: DeviceMessage): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const isSeen = pages.some(({ visibilityState }) => visibilityState === 'visible');
  if (message.audience === 'public') {
    const { title, body } = notificationText(message);
    const options = { body, tag: message.id, icon: '/probe-icon.svg', requireInteraction: true };
    await self.registration.showNotification(title, options);
    return;
  }
  if (isSeen) return;
  await self.registration.showNotification('Sonde Tocsin · Tocsin probe', {
    body: `Essai reçu · test received, ${new Date().toISOString().slice(11, 19)} UTC`,
    tag: 'tocsin-probe',
    icon: '/probe-icon.svg',
    silent: true,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
