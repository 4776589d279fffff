import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';

/** The first sweep proves a fresh system: one path each 300 ms, and all of them within half a minute. */
const SWEEP_STEP_MS = 300;
const SWEEP_LIMIT_MS = 30_000;
/** A path that was never proved is tried again this soon, so that parts may start in any order … */
const EAGER_PAUSE_MS = 2_000;
/** … for this long; then it takes its turn like the others. */
const EAGER_FOR_MS = 120_000;
/** Start of a minute, when everybody's timers fire and quotas refill: no round begins there. */
const FULL_MINUTE_MS = 1_500;
const JITTER_SHARE = 0.1;

/** When the first round of path `index` begins, after the start. */
export function sweepDelayMs(index: number, total: number): number {
  return Math.round(index * Math.min(SWEEP_STEP_MS, SWEEP_LIMIT_MS / Math.max(1, total)));
}

interface Slot {
  readonly index: number;
  readonly total: number;
  readonly periodMs: number;
  /** The canary's own place between two slots, in [0, 1), so that two canaries do not walk in step. */
  readonly phase: number;
}

/**
 * The next round of a path after `nowMs`: paths are spread evenly over the period, each moved by a jitter (`random` in
 * [0, 1)) and never into the first second of a minute. At most a period and two jitters away.
 */
export function nextRoundAtMs(slot: Slot, nowMs: number, random: number): number {
  const { index, total, periodMs, phase } = slot;
  const offset = ((index + phase) / Math.max(1, total)) * periodMs;
  const jitterSpanMs = Math.min(periodMs / Math.max(1, total), periodMs * JITTER_SHARE);
  const jitter = (random - 0.5) * jitterSpanMs;
  // A slot that lies within the jitter ahead is the one whose round, moved forward, has just ended.
  const passed = Math.floor((nowMs + jitterSpanMs / 2 - offset) / periodMs) + 1;
  const at = Math.max(nowMs + 1, Math.round(offset + passed * periodMs + jitter));
  return awayFromFullMinute(at);
}

/** This instant or, when it lies in the first second of a minute, the first one after it. */
export function awayFromFullMinute(atMs: number): number {
  const intoMinute = atMs % 60_000;
  return intoMinute < FULL_MINUTE_MS ? atMs + FULL_MINUTE_MS - intoMinute : atMs;
}

/** A number in [0, 1) that depends on a name alone (FNV-1a). */
export function phaseOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}

interface ScheduleDeps {
  readonly runRound: (path: CanaryPath) => Promise<void>;
  readonly everProved: (path: CanaryPath) => boolean;
  readonly now: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/**
 * Runs the rounds of all paths until the signal aborts. Each path has a loop of its own, so rounds of one path never
 * overlap and a path that hangs delays no other.
 */
export async function scheduleRounds(
  paths: readonly CanaryPath[],
  { periodMs, canary }: { periodMs: number; canary: string },
  deps: ScheduleDeps,
): Promise<void> {
  const eagerUntilMs = deps.now() + EAGER_FOR_MS;
  const phase = phaseOf(canary);
  const loop = async (path: CanaryPath, index: number) => {
    const slot = { index, total: paths.length, periodMs, phase };
    await sleep(sweepDelayMs(index, paths.length), deps.signal);
    while (!deps.signal.aborted) {
      await deps.runRound(path);
      const nowMs = deps.now();
      const next = nextRoundAtMs(slot, nowMs, deps.random());
      const eager = !deps.everProved(path) && nowMs < eagerUntilMs;
      await sleep(eager ? Math.min(EAGER_PAUSE_MS, next - nowMs) : next - nowMs, deps.signal);
    }
  };
  await Promise.all(paths.map(loop));
}
