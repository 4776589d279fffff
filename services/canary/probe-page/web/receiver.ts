import { base64url } from '../../../../shared/browser/base64url.ts';
import { browserSubscription } from '../../../../shared/browser/push-subscription.ts';
import { addressOf, canaryKeys, enrol, tellAddress } from './canary.ts';
import { type Identity, read, write } from './store.ts';

async function subscribe(manager: PushManager): Promise<PushSubscription> {
  const { vapidPublicKey } = await canaryKeys();
  return await browserSubscription(manager, vapidPublicKey);
}

/** Makes the key, subscribes and asks to be put on the list. Rejects when the canary or the browser says no. */
export async function becomeReceiver(
  manager: PushManager,
  code: string,
  label: string,
): Promise<Identity> {
  const subscription = await subscribe(manager);
  const fresh = await newIdentity(label);
  const address = addressOf(subscription);
  const name = await enrol(code, fresh, address);
  const identity = { ...fresh, name, endpoint: address.endpoint };
  await write('identity', identity);
  return identity;
}

/** Makes sure that the canary knows where this receiver is: browsers drop subscriptions, and give new ones. */
export async function keepSubscribed(manager: PushManager): Promise<void> {
  const identity = await read('identity');
  if (identity?.name === undefined) return;
  const address = addressOf(await subscribe(manager));
  if (address.endpoint !== identity.endpoint) await tellAddress(identity, address);
}

/** A key that signs here and nowhere else. */
async function newIdentity(label: string): Promise<Identity> {
  const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, false, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const bytes = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const publicKey = base64url(bytes);
  return { name: undefined, label, key: pair.privateKey, publicKey, endpoint: undefined };
}
