import { base64url } from './base64url.ts';

/** The browser's subscription for the senders' VAPID key (base64url); one that was made for another key is replaced. */
export async function browserSubscription(
  manager: PushManager,
  vapidPublicKey: string,
): Promise<PushSubscription> {
  const existing = await manager.getSubscription();
  const key = existing?.options.applicationServerKey;
  if (existing && key && base64url(new Uint8Array(key)) === vapidPublicKey) return existing;
  await existing?.unsubscribe();
  return await manager.subscribe({ userVisibleOnly: true, applicationServerKey: vapidPublicKey });
}
