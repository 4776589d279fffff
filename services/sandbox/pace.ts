import type { Clock } from '../../shared/time/clock.ts';
import type { Provider } from './faults.ts';

/** However slow the pace, a turn is never further away than this: what waits is bounded. */
const MAX_TURN_MS = 60_000;

/**
 * Turns of a provider that takes so many requests a second, one after the other. Says how long a request that comes
 * now has to wait for its turn (ms). A pace of 0 is none, and forgets the turns that were given.
 */
export function createPace(now: Clock): (provider: Provider, perSecond: number) => number {
  const nextTurnMs = new Map<Provider, number>();
  return (provider, perSecond) => {
    if (perSecond === 0) {
      nextTurnMs.delete(provider);
      return 0;
    }
    const nowMs = now();
    const turnMs = Math.max(nowMs, nextTurnMs.get(provider) ?? 0);
    nextTurnMs.set(provider, Math.min(turnMs + 1000 / perSecond, nowMs + MAX_TURN_MS));
    return turnMs - nowMs;
  };
}
