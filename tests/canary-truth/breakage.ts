import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import type { TruthSystem } from './system/truth-system.ts';

/** P5: from the moment that something is broken to somebody's phone. */
export const PAGED_WITHIN_SECONDS = 180;

/** Who has to be told of a breakage. Written down before it is played: what came is held against it. */
export interface Expectation {
  /**
   * `page`: somebody is called. `ticket`: redundancy hides it, somebody reads of it. `nobody`: nothing that anybody has to
   * do. `recovers`: the system repairs it by itself; somebody is called if it does not.
   */
  readonly kind: 'page' | 'ticket' | 'nobody' | 'recovers';
  /** Names of the alerts, any of which says it; empty with `nobody`. */
  readonly alerts: readonly string[];
  readonly withinSeconds: number;
}

/** One way to break a running system, and back. */
export interface Breakage {
  /** Such as `kill-ingest`, for ONLY=. */
  readonly name: string;
  readonly group: string;
  /** What is done, in words. */
  readonly title: string;
  /** True for a path that this canary can't prove any more: it may not call it proved. */
  readonly breaks: (path: CanaryPath, canary: string) => boolean;
  /** Canaries that can prove nothing at all any more: no metric may call their newest proof fresh. */
  readonly blind?: readonly string[];
  readonly expected: Expectation;
  /** How long it is left broken at least; default 150. */
  readonly observeSeconds?: number;
  readonly needs?: 'faketime';
  /** Breaks it. Resolves when it is broken. */
  readonly begin: (system: TruthSystem) => Promise<void>;
  /** Takes it back. Resolves when nothing is in the way any more; proofs may still be missing. */
  readonly heal: (system: TruthSystem) => Promise<void>;
}

/** Paths through all of these parts. */
export function through(parts: Partial<CanaryPath>): (path: CanaryPath) => boolean {
  const wanted = Object.entries(parts);
  return (path) => wanted.every(([part, value]) => path[part as keyof CanaryPath] === value);
}

export const everyPath = (): boolean => true;
export const noPath = (): boolean => false;

export const page = (...alerts: string[]): Expectation => ({
  kind: 'page',
  alerts,
  withinSeconds: PAGED_WITHIN_SECONDS,
});

export const ticket = (withinSeconds: number, ...alerts: string[]): Expectation => ({
  kind: 'ticket',
  alerts,
  withinSeconds,
});
