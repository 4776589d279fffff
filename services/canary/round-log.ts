import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import type { RoundResult } from './judge.ts';

/** A round that has ended, as the page lists it. */
export interface LoggedRound {
  /** Wall clock, ms since 1970. */
  readonly atMs: number;
  readonly path: CanaryPath;
  readonly result: RoundResult;
}

interface RoundLog {
  readonly add: (round: LoggedRound) => void;
  /** Newest first. */
  readonly newest: (count: number) => LoggedRound[];
}

const MAX_ROUNDS = 100;

export function createRoundLog(): RoundLog {
  const rounds: LoggedRound[] = [];
  return {
    add: (round) => {
      rounds.push(round);
      if (rounds.length > MAX_ROUNDS) rounds.shift();
    },
    newest: (count) => rounds.slice(-count).reverse(),
  };
}
