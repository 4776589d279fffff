import { base64url } from '../../../shared/browser/base64url.ts';
import type { Profile } from './device-store.ts';

const APP_VERSION = 'web-1';
const MAX_ATTEMPTS = 6;
const LONGEST_WAIT_SECONDS = 60;

/** The server does not take the registration; `message` says why, in its own words. */
export class RegistrationError extends Error {
  override readonly name = 'RegistrationError';
}

interface Problem {
  readonly title?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** 128 random bits as base64url. */
export function randomId(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * Tells the server where this device is and what it wants to hear about. When the server is busy it is asked again
 * after the time that it names; `onWait` hears how long.
 */
export async function register(
  profile: Profile,
  subscription: PushSubscription,
  onWait: (seconds: number) => void = () => undefined,
): Promise<void> {
  const { endpoint, keys } = subscription.toJSON();
  const body = JSON.stringify({
    address: {
      transport: 'web-push',
      endpoint,
      keys: { p256dh: keys?.['p256dh'], auth: keys?.['auth'] },
    },
    areaCodes: profile.areaCodes,
    language: profile.language,
    appVersion: APP_VERSION,
  });
  const response = await send(
    profile,
    { method: 'PUT', body, headers: { 'Content-Type': 'application/json' } },
    onWait,
  );
  if (response.ok) return;
  const problem = (await response.json().catch(() => ({}))) as Problem;
  const details = problem.errors?.map((each) => `${each.field}: ${each.message}`) ?? [];
  throw new RegistrationError([problem.title ?? `HTTP ${response.status}`, ...details].join(' — '));
}

/** Takes this device off the list. */
export async function deregister(profile: Profile): Promise<void> {
  await send(profile, { method: 'DELETE' }, () => undefined);
}

async function send(
  profile: Profile,
  init: RequestInit,
  onWait: (seconds: number) => void,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`/v1/subscriptions/${profile.deviceId}`, {
      ...init,
      headers: { ...init.headers, Authorization: `Bearer ${profile.deviceSecret}` },
    }).catch(() => undefined);
    const busy = response === undefined || response.status === 429 || response.status === 503;
    if (response && (!busy || attempt >= MAX_ATTEMPTS)) return response;
    if (attempt >= MAX_ATTEMPTS) throw new RegistrationError('no network');
    const asked = Number(response?.headers.get('Retry-After') ?? 2 ** attempt);
    const seconds = Math.min(LONGEST_WAIT_SECONDS, Number.isFinite(asked) && asked > 0 ? asked : 5);
    onWait(seconds);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}
