import {
  type AcceptTiming,
  mergeTimings,
  timingCount,
  timingPercentile,
} from '../../../shared/receipt/accept-timing.ts';
import type { TransportProgress } from '../../../shared/receipt/progress.ts';
import type { MergedTiming } from './alert-progress.ts';

/**
 * One timing out of everybody's: of each node what it says itself, or what its peers know of it when it is dead. A
 * node's count only grows, so that of two words on it the one that counts more is the newer. Pure.
 */
export function mergeTiming(
  parts: readonly Pick<TransportProgress, 'timings'>[],
): MergedTiming | null {
  const byNode = new Map<string, AcceptTiming>();
  for (const { timings } of parts)
    for (const [node, timing] of Object.entries(timings ?? {})) {
      const before = byNode.get(node);
      if (!before || timingCount(timing) > timingCount(before)) byNode.set(node, timing);
    }
  const merged = mergeTimings(byNode.values());
  if (!merged) return null;
  const seconds = (ms: number) => Math.round(ms) / 1000;
  return {
    from: 'issuedAt',
    counted: timingCount(merged),
    firstSeconds: seconds(merged.firstMs),
    p50Seconds: seconds(timingPercentile(merged, 0.5)),
    p95Seconds: seconds(timingPercentile(merged, 0.95)),
    p99Seconds: seconds(timingPercentile(merged, 0.99)),
    lastSeconds: seconds(merged.lastMs),
  };
}
