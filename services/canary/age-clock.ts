import type { Clock } from '../../shared/time/clock.ts';

/**
 * Milliseconds since 1970 for counting ages: never goes back, and never runs slow. A wall clock that is set back would
 * make an old proof young; a monotonic clock stands still while a virtual machine is suspended. Whichever of the two
 * went further counts: an age may come out too old (that looks bad and heals), never too young.
 */
export function createAgeClock(wall: Clock, monotonic: Clock): Clock {
  let lastWall = wall();
  let lastMonotonic = monotonic();
  let now = lastWall;
  return () => {
    const wallNow = wall();
    const monotonicNow = monotonic();
    now += Math.max(0, wallNow - lastWall, monotonicNow - lastMonotonic);
    lastWall = wallNow;
    lastMonotonic = monotonicNow;
    return now;
  };
}
