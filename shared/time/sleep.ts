import { setTimeout as delay } from 'node:timers/promises';

/** Waits, or ends early (without throwing) when the signal aborts. Returns false when it was aborted. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
    return true;
  } catch (error) {
    if (signal?.aborted) return false;
    throw error;
  }
}
