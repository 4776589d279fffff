import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { CanaryEvents } from './events.ts';
import type { Probe } from './probes/probe.ts';

/**
 * What to do about a probe that hears nothing: `register` tells edge again, `renew` also asks the provider for a new
 * address. Pure. A registration that was lost heals by the first, an address that was lost only by the second.
 */
export function silenceRemedy(
  silenceMs: number,
  sinceRemedyMs: number,
  periodMs: number,
): 'none' | 'register' | 'renew' {
  if (silenceMs <= periodMs * 1.5 || sinceRemedyMs < periodMs) return 'none';
  return silenceMs > periodMs * 3 ? 'renew' : 'register';
}

interface SilenceDeps {
  readonly events: CanaryEvents;
  readonly now: () => number;
  /** When the probe of this transport last received anything that was verified. */
  readonly lastHeardMs: (transport: TransportKind) => number | undefined;
  readonly registerAgain: () => void;
  readonly signal: AbortSignal;
}

/**
 * Looks after probes that should have heard something. It repairs only our own side; whether a path is proved is the
 * judge's to say, and a repair proves nothing.
 */
export async function watchSilence(
  probes: readonly Probe[],
  periodMs: number,
  deps: SilenceDeps,
): Promise<void> {
  const startedMs = deps.now();
  const remediedMs = new Map<string, number>();
  while (await sleep(Math.min(5_000, periodMs / 4), deps.signal)) {
    for (const probe of probes) {
      const nowMs = deps.now();
      const silenceMs = nowMs - (deps.lastHeardMs(probe.transport) ?? startedMs);
      const sinceRemedyMs = nowMs - (remediedMs.get(probe.name) ?? startedMs);
      const remedy = silenceRemedy(silenceMs, sinceRemedyMs, periodMs);
      if (remedy === 'none') continue;
      remediedMs.set(probe.name, nowMs);
      deps.events.silent(probe.name, silenceMs, remedy === 'renew');
      if (remedy === 'renew') probe.renew();
      deps.registerAgain();
    }
  }
}
