import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { watchLoopDelay } from './event-loop-metrics.ts';

/** How exactly the delay is measured; a timer of this period runs in the runtime, not in our code. */
const RESOLUTION_MS = 20;
/** The figure is that of the last so many milliseconds. */
const WINDOW_MS = 500;
/**
 * A loop that comes so late, on average over a window, has more to do than it can: what may wait is held back, so that a
 * new alert is not.
 */
const DELAYED_MS = 100;

export interface EventLoopWatch {
  /** The loop is behind with its work: begin nothing that may wait. */
  readonly isDelayed: () => boolean;
  readonly close: () => void;
}

/** Measures how late this process's event loop runs, as a metric and as a reason to hold back retries. */
export function watchEventLoop(registry: Registry): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let delayMs = 0;
  const ticker = setInterval(() => {
    delayMs = meanDelayMs(histogram);
    histogram.reset();
  }, WINDOW_MS);
  ticker.unref();
  watchLoopDelay(registry, () => delayMs);
  return {
    isDelayed: () => delayMs > DELAYED_MS,
    close: () => {
      clearInterval(ticker);
      histogram.disable();
    },
  };
}

/** The histogram holds whole periods in nanoseconds: a loop on time shows the resolution itself. NaN before the first. */
function meanDelayMs({ mean }: { readonly mean: number }): number {
  return Number.isNaN(mean) ? 0 : Math.max(0, mean / 1e6 - RESOLUTION_MS);
}
