import type { Clock } from '../../shared/time/clock.ts';
import type { Provider } from './faults.ts';

/**
 * Turns of a provider that takes so many requests a second, one after the other. Says how long a request that comes
 * now has to wait for its turn (ms).
 */
export function createPace(now: Clock): (provider: Provider, perSecond: number) => number {
  const nextTurnMs = new Map<Provider, number>();
  return (provider, perSecond) => {
    if (perSecond === 0) return 0;
    const turnMs = Math.max(now(), nextTurnMs.get(provider) ?? 0);
    nextTurnMs.set(provider, turnMs + 1000 / perSecond);
    return turnMs - now();
  };
}
