import { createCryptoKeySigner } from '../../../../shared/envelope/signature.ts';
import { type ProbeReceipt, signReceipt } from '../../../../shared/receipt/signed-receipt.ts';
import { type Identity, type Keys, type Outcome, read, write } from './store.ts';

const TIMEOUT_MS = 4_000;
/** Within a round's limit: what comes later is late anyway, and the next round is near. */
const ATTEMPTS = 3;

/** The canary does not do it; `message` says why, in its own words. */
export class CanaryError extends Error {
  override readonly name = 'CanaryError';
}

/** The canary's keys: fetched, or the ones that were kept when it does not answer. */
export async function canaryKeys(): Promise<Keys> {
  try {
    const response = await fetch('/v1/probe-keys', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new CanaryError(`HTTP ${response.status}`);
    const keys = (await response.json()) as Keys;
    await write('keys', keys);
    return keys;
  } catch (error) {
    const kept = await read('keys');
    if (kept) return kept;
    throw error;
  }
}

/** Signs what was received and hands it in. Never rejects: a canary that does not answer is an outcome too. */
export async function handIn(
  identity: Identity & { readonly name: string },
  receipt: Omit<ProbeReceipt, 'v' | 'probe'>,
): Promise<{ outcome: Outcome; reason: string | undefined }> {
  const { name } = identity;
  const sign = createCryptoKeySigner(identity.key, name, 'receipt');
  const body = await signReceipt({ v: 1, probe: name, ...receipt }, sign);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const response = await sendSigned('POST', '/v1/probe-receipts', body).catch(() => undefined);
    if (response?.ok) {
      const { outcome } = (await response.json()) as { outcome: Outcome };
      return { outcome, reason: undefined };
    }
    if (response?.status === 403) {
      // Taken off the list, or a canary that lost it: this receiver has to be enrolled again.
      await write('identity', { ...identity, name: undefined, endpoint: undefined });
      return { outcome: 'removed', reason: undefined };
    }
    if (response && response.status < 500)
      return { outcome: 'refused', reason: (await problemOf(response)).detail };
    await new Promise((resolve) => setTimeout(resolve, 500 * attempt));
  }
  return { outcome: 'silent', reason: undefined };
}

interface Address {
  readonly transport: 'web-push';
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

export function addressOf(subscription: PushSubscription): Address {
  const { endpoint = '', keys } = subscription.toJSON();
  const { p256dh = '', auth = '' } = keys ?? {};
  return { transport: 'web-push', endpoint, keys: { p256dh, auth } };
}

/** Asks to be put on the list; returns the name that was given. Rejects with CanaryError. */
export async function enrol(
  code: string,
  { label, publicKey }: Identity,
  address: Address,
): Promise<string> {
  const response = await fetch('/v1/probe-devices', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ code, label, publicKey, address }),
    signal: AbortSignal.timeout(15_000),
  });
  if (response.ok) return ((await response.json()) as { name: string }).name;
  const { title, detail, action } = await problemOf(response);
  throw new CanaryError(
    [title ?? `HTTP ${response.status}`, detail, action].filter(Boolean).join('. '),
  );
}

/** Tells a new address of this receiver, signed. Resolves with whether the canary took it. */
export async function tellAddress(identity: Identity, address: Address): Promise<boolean> {
  const { name, key } = identity;
  if (name === undefined) return false;
  const sign = createCryptoKeySigner(key, name, 'receipt');
  const body = await sign(JSON.stringify({ v: 1, probe: name, address, at: Date.now() }));
  const response = await sendSigned('PUT', `/v1/probe-devices/${name}/address`, body);
  if (response.ok) await write('identity', { ...identity, endpoint: address.endpoint });
  return response.ok;
}

function sendSigned(method: string, path: string, body: string): Promise<Response> {
  return fetch(path, {
    method,
    body,
    keepalive: true,
    headers: { 'Content-Type': 'application/jose' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly action?: string;
}

async function problemOf(response: Response): Promise<Problem> {
  return (await response.json().catch(() => ({}))) as Problem;
}
