import { type Keys, readValue, writeValue } from './device-store.ts';

const DAY_MS = 24 * 3600 * 1000;
const HOUR_MS = 3600 * 1000;

/** Fetches the server's keys and keeps them; the ones kept before stay where there is no network. */
export async function refreshKeys(): Promise<Keys | undefined> {
  try {
    const response = await fetch('/v1/keys', { cache: 'no-cache' });
    if (!response.ok) return await readValue('keys');
    const answer = (await response.json()) as Omit<Keys, 'fetchedAtMs'>;
    const keys: Keys = { ...answer, fetchedAtMs: Date.now() };
    await writeValue('keys', keys);
    return keys;
  } catch {
    return await readValue('keys');
  }
}

/** Keys as they are kept, without a network; fetched only when there are none at all. */
export async function keptKeys(): Promise<Keys | undefined> {
  return (await readValue('keys')) ?? (await refreshKeys());
}

export async function refreshKeysDaily(): Promise<void> {
  const keys = await readValue('keys');
  if (!keys || Date.now() - keys.fetchedAtMs > DAY_MS) await refreshKeys();
}

/**
 * Keys worth another look after a signature was refused: a key may be new. At most once an hour, so that a forger
 * cannot make every device ask the server at once.
 */
export async function newerKeys(): Promise<Keys | undefined> {
  const kept = await readValue('keys');
  if (kept && Date.now() - kept.fetchedAtMs < HOUR_MS) return undefined;
  const fresh = await refreshKeys();
  return fresh?.fetchedAtMs === kept?.fetchedAtMs ? undefined : fresh;
}
