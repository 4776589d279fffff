import type { decideArrival } from '../../services/dispatcher/arrival.ts';
import type {
  RunDecision,
  RunEvent,
  RunSetup,
  Surroundings,
} from '../../services/dispatcher/run-events.ts';
import type { decide } from '../../shared/device/decide.ts';

/**
 * The places where the simulator hands something to production code or takes it back. The planted bugs sit here and
 * nowhere else; without any, everything passes unchanged.
 */
export interface Hooks {
  readonly decideArrival?: (real: typeof decideArrival) => typeof decideArrival;
  readonly isEnded?: (isEnded: boolean) => boolean;
  readonly setup?: (setup: RunSetup) => RunSetup;
  readonly event?: (event: RunEvent, setup: RunSetup) => RunEvent;
  readonly around?: (around: Surroundings) => Surroundings;
  readonly decisions?: (decisions: readonly RunDecision[], setup: RunSetup) => RunDecision[];
  readonly decide?: (real: typeof decide) => typeof decide;
  /** Whether a node that was away holds its sends back until it has asked. */
  readonly mayHaveMissed?: (real: boolean) => boolean;
  /** Whom a canary is sent to: the probes it names, or (a bug) everybody. */
  readonly canaryForEverybody?: boolean;
}
