import { sleep } from '../../shared/time/sleep.ts';
import type { CanaryEvents } from './events.ts';
import type { Probe } from './probes/probe.ts';

/** Periods between the remedies of one silence: a provider that is down for hours is not asked for an address each minute. */
const PAUSES = [1.5, 3, 10];

/**
 * What to do about a probe that hears nothing: `register` tells edge again, `renew` also asks the provider for a new
 * address. Pure; `remedies` counts what was done in this silence before. A registration that was lost heals by the
 * first, an address that was lost only by the second.
 */
export function silenceRemedy(
  silenceMs: number,
  { remedies, sinceRemedyMs }: { remedies: number; sinceRemedyMs: number },
  periodMs: number,
): 'none' | 'register' | 'renew' {
  const pauseMs = periodMs * (PAUSES[Math.min(remedies, PAUSES.length - 1)] ?? 0);
  const waitedMs = remedies === 0 ? silenceMs : sinceRemedyMs;
  if (waitedMs <= pauseMs) return 'none';
  return remedies === 0 ? 'register' : 'renew';
}

interface SilenceDeps {
  readonly events: CanaryEvents;
  readonly now: () => number;
  /** When this probe last received anything that was verified. */
  readonly lastHeardMs: (probe: string) => number | undefined;
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
  const tried = new Map<string, { count: number; atMs: number }>();
  while (await sleep(Math.min(5_000, periodMs / 4), deps.signal)) {
    for (const probe of probes) {
      const nowMs = deps.now();
      const heardMs = deps.lastHeardMs(probe.name) ?? startedMs;
      const last = tried.get(probe.name);
      // What was done before the probe heard something belongs to an earlier silence.
      const remedies = last && last.atMs > heardMs ? last.count : 0;
      const silenceMs = Math.round(nowMs - heardMs);
      const sinceRemedyMs = nowMs - (last?.atMs ?? startedMs);
      const remedy = silenceRemedy(silenceMs, { remedies, sinceRemedyMs }, periodMs);
      if (remedy === 'none') continue;
      tried.set(probe.name, { count: remedies + 1, atMs: nowMs });
      deps.events.silent(probe.name, silenceMs, remedy === 'renew');
      if (remedy === 'renew') probe.renew();
      deps.registerAgain();
    }
  }
}
