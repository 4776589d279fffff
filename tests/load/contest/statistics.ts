import type { Turn } from './contender.ts';

/** Median, with the smallest and the largest value: what one noisy turn can't move, and how noisy it was. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One round: the turn of each contender that took one. */
export type Round = Readonly<Record<string, Turn>>;

export interface Result {
  readonly contender: string;
  /** CPU time of the sending process. */
  readonly cpuMicrosPerMessage: Spread;
  readonly messagesPerSecond: Spread;
  /** CPU of the baseline in the same round divided by ours: 3 means a third of the CPU. */
  readonly timesLessCpu: Spread;
  /** Rate in the same round divided by the baseline's. */
  readonly timesTheRate: Spread;
  /** Memory of the process, highest after any turn. */
  readonly rssMb: number;
}

/** Throws when there is no value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined || min === undefined || max === undefined)
    throw new Error('nothing was measured');
  return { median: (low + high) / 2, min, max };
}

const cpuOf = (turn: Turn) => turn.cpuMicros / turn.messages;
const rateOf = (turn: Turn) => (turn.messages / turn.wallMs) * 1000;

/** Ratios are made within a round, where both met the same machine. Who has no turn beside the baseline is left out. */
export function resultsOf(rounds: readonly Round[], baseline: string): Result[] {
  const names = [...new Set(rounds.flatMap((round) => Object.keys(round)))];
  return names.flatMap((contender) => {
    const pairs = rounds.flatMap((round) => {
      const [turn, base] = [round[contender], round[baseline]];
      return turn && base ? [{ turn, base }] : [];
    });
    if (pairs.length === 0) return [];
    return [
      {
        contender,
        cpuMicrosPerMessage: spreadOf(pairs.map(({ turn }) => cpuOf(turn))),
        messagesPerSecond: spreadOf(pairs.map(({ turn }) => rateOf(turn))),
        timesLessCpu: spreadOf(pairs.map(({ turn, base }) => cpuOf(base) / cpuOf(turn))),
        timesTheRate: spreadOf(pairs.map(({ turn, base }) => rateOf(turn) / rateOf(base))),
        rssMb: Math.max(...pairs.map(({ turn }) => turn.rssMb)),
      },
    ];
  });
}

/**
 * How much less CPU, and what times the rate, `contender` needs against the best of `others`, round by round: a package
 * with several settings is met at the one that was best just then. Undefined when no round has both.
 */
export function againstBest(
  rounds: readonly Round[],
  contender: string,
  others: readonly string[],
): { timesLessCpu: Spread; timesTheRate: Spread } | undefined {
  const pairs = rounds.flatMap((round) => {
    const turn = round[contender];
    const rivals = others.flatMap((name) => round[name] ?? []);
    return turn && rivals.length > 0 ? [{ turn, rivals }] : [];
  });
  if (pairs.length === 0) return undefined;
  return {
    timesLessCpu: spreadOf(
      pairs.map(({ turn, rivals }) => Math.min(...rivals.map(cpuOf)) / cpuOf(turn)),
    ),
    timesTheRate: spreadOf(
      pairs.map(({ turn, rivals }) => rateOf(turn) / Math.max(...rivals.map(rateOf))),
    ),
  };
}
