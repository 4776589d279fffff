import type { Turn } from './contender.ts';

/** Median, with the smallest and the largest value: what one noisy turn can't move, and how noisy it was. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Result {
  readonly contender: string;
  /** CPU time of the sending process. */
  readonly cpuMicrosPerMessage: Spread;
  readonly messagesPerSecond: Spread;
  /** CPU of the baseline in the same round divided by ours: 3 means a third of the CPU. */
  readonly timesLessCpu: Spread;
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

/** `rounds` holds each round's turns by contender. Ratios are made within a round, where both met the same machine. */
export function resultsOf(
  rounds: readonly Readonly<Record<string, Turn>>[],
  baseline: string,
): Result[] {
  const perMessage = (turn: Turn) => turn.cpuMicros / turn.messages;
  return Object.keys(rounds[0] ?? {}).map((contender) => {
    const pairs = rounds.flatMap((round) => {
      const [turn, base] = [round[contender], round[baseline]];
      return turn && base ? [{ turn, base }] : [];
    });
    return {
      contender,
      cpuMicrosPerMessage: spreadOf(pairs.map(({ turn }) => perMessage(turn))),
      messagesPerSecond: spreadOf(pairs.map(({ turn }) => (turn.messages / turn.wallMs) * 1000)),
      timesLessCpu: spreadOf(pairs.map(({ turn, base }) => perMessage(base) / perMessage(turn))),
    };
  });
}
