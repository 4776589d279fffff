import type { DrillKind, DrillRecord } from '../../../shared/receipt/drill.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { ServiceNode } from '../config.ts';
import type { Terminal } from '../terminal.ts';
import type { Texts } from '../texts-fr.ts';

/** The system that a drill is run on, as the configuration file says. */
export interface DrillSystem {
  readonly ingests: readonly ServiceNode[];
  readonly dispatchers: readonly ServiceNode[];
  readonly edges: readonly ServiceNode[];
  readonly canaries: readonly ServiceNode[];
  readonly internalToken: string;
  /** The launcher's own control; `make run` alone has one. */
  readonly control: string | undefined;
  /** Restarts a service: `{service}` and `{node}` in it are replaced. */
  readonly restartCommand: readonly string[] | undefined;
  readonly alertmanager: string | undefined;
  /** The drills' own API key, which may send Test and nothing else. Throws ConfigError. */
  readonly drillKey: () => string;
  readonly drillSender: string;
}

export interface DrillDeps {
  readonly system: DrillSystem;
  readonly terminal: Terminal;
  readonly texts: Texts;
  readonly now: Clock;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** One line of progress. */
  readonly say: (line: string) => void;
  /** Aborts when somebody stops the drill. */
  readonly signal: AbortSignal;
  readonly random: () => string;
}

/** What a drill found. A drill that failed is a result too; it rejects only when it could not take place. */
export interface DrillResult {
  readonly ok: boolean;
  readonly measures: DrillRecord['measures'];
  /** What was tried, how it was measured, what went wrong: English, for the record. */
  readonly note: string;
}

export interface Drill {
  readonly kind: DrillKind;
  /** True when it hurts a living system: it is asked for first. */
  readonly hurts: boolean;
  /** What is about to be done, in the reader's language. */
  readonly what: string;
  readonly run: (deps: DrillDeps) => Promise<DrillResult>;
}

/** The drill was ended before its end: a real alert came, or a person stopped it. */
export class DrillEndedError extends Error {
  override readonly name = 'DrillEndedError';
}

/** Seconds since an instant of `now`, to a tenth. */
export function secondsSince(startMs: number, nowMs: number): number {
  return Math.max(0, Math.round((nowMs - startMs) / 100) / 10);
}
