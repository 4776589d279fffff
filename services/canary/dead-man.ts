import type { CanaryEvents } from './events.ts';

/** Outside watchers limit how often they are called (healthchecks.io: five times a minute). */
const MIN_PAUSE_MS = 30_000;
const REQUEST_LIMIT_MS = 5_000;

interface DeadManDeps {
  readonly events: CanaryEvents;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * The sign of life to a watcher outside, who pages when it stays away. It is sent by a fresh verified receipt and by
 * nothing else: a canary that runs and hears nothing says nothing. Call the result at each proof.
 */
export function createDeadManSwitch(url: string | undefined, deps: DeadManDeps): () => void {
  let lastMs: number | undefined;
  return () => {
    const nowMs = deps.now();
    if (url === undefined || (lastMs !== undefined && nowMs - lastMs < MIN_PAUSE_MS)) return;
    lastMs = nowMs;
    const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(REQUEST_LIMIT_MS)]);
    fetch(url, { signal }).then(
      async (response) => {
        await response.body?.cancel();
        deps.events.deadmanPinged(response.ok);
      },
      () => {
        if (!deps.signal.aborted) deps.events.deadmanPinged(false);
      },
    );
  };
}
