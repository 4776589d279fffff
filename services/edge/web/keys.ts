import { type Keys, readValue, writeValue } from './device-store.ts';

const DAY_MS = 24 * 3600 * 1000;
const HOUR_MS = 3600 * 1000;

const readKept = () => readValue('keys').catch(() => undefined);

/** Fetches the server's keys and keeps them; the ones kept before stay where there is no network. */
export async function refreshKeys(): Promise<Keys | undefined> {
  let keys: Keys;
  try {
    const response = await fetch('/v1/keys', {
      cache: 'no-cache',
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) return await readKept();
    const answer = (await response.json()) as Omit<Keys, 'fetchedAtMs'>;
    keys = { ...answer, fetchedAtMs: Date.now() };
  } catch {
    return await readKept();
  }
  await writeValue('keys', keys).catch(() => undefined);
  return keys;
}

/** Keys as they are kept, without a network; fetched only when there are none at all. */
export async function keptKeys(): Promise<Keys | undefined> {
  return (await readKept()) ?? (await refreshKeys());
}

/** Fetches the keys when the ones that are kept are older than a day. */
export async function refreshKeysDaily(): Promise<void> {
  const keys = await readKept();
  if (!keys || Date.now() - keys.fetchedAtMs > DAY_MS) await refreshKeys();
}

/**
 * Keys worth another look after a signature was refused: a key may be new. At most once an hour, so that a forger
 * cannot make every device ask the server at once.
 */
export async function newerKeys(): Promise<Keys | undefined> {
  const kept = await readKept();
  if (kept && Date.now() - kept.fetchedAtMs < HOUR_MS) return undefined;
  const fresh = await refreshKeys();
  return fresh?.fetchedAtMs === kept?.fetchedAtMs ? undefined : fresh;
}
