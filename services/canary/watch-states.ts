import { sleep } from '../../shared/time/sleep.ts';
import type { CanaryEvents } from './events.ts';
import type { JudgedPath, PathState } from './judge.ts';
import type { CanaryMetrics } from './metrics.ts';
import { pathName } from './paths.ts';
import type { Probe } from './probes/probe.ts';

const LOOK_EVERY_MS = 1_000;

interface WatchStatesDeps {
  readonly judged: () => readonly JudgedPath[];
  readonly probes: readonly Probe[];
  readonly events: CanaryEvents;
  readonly metrics: CanaryMetrics;
  readonly signal: AbortSignal;
}

/** Tells each change of a path's state as it happens, also when nothing happened but time. */
export async function watchStates(deps: WatchStatesDeps): Promise<void> {
  const before = new Map<string, PathState>();
  do {
    for (const { path, state } of deps.judged()) {
      const last = before.get(pathName(path)) ?? 'not-measured';
      if (last !== state) deps.events.stateChanged(path, last, state);
      before.set(pathName(path), state);
    }
    for (const probe of deps.probes)
      deps.metrics.probeConnected.set({ probe: probe.name }, probe.connected() ? 1 : 0);
  } while (await sleep(LOOK_EVERY_MS, deps.signal));
}
