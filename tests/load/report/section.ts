/** A figure that the project has promised, beside what this run measured. */
export interface Must {
  readonly what: string;
  /** For people, such as `at least ×100`. */
  readonly needed: string;
  /** For people; null when this run did not measure it. */
  readonly figure: string | null;
  readonly reached: boolean | null;
}

export interface Plot {
  /** File name in docs/pictures. */
  readonly file: string;
  readonly svg: string;
  /** What it shows, for who cannot see it. */
  readonly alt: string;
}

/** What one bench brings home. */
export interface Section {
  readonly title: string;
  /** Everything that was measured, for reports/bench.json. */
  readonly figures: unknown;
  /** Markdown: tables, and sentences where something was left out. */
  readonly text: string;
  readonly musts: readonly Must[];
  readonly plots: readonly Plot[];
}

export interface RunOptions {
  /** Rounds of each contest. */
  readonly rounds: number;
  /** Share of the messages and devices; 1 is what the page is made with. */
  readonly scale: number;
  /** Sizes of audience, for the benches that have one. */
  readonly sizes: readonly number[] | undefined;
  readonly say: (line: string) => void;
}

/** A promise that is kept from `limit` up. */
export function atLeast(
  what: string,
  limit: number,
  value: number | undefined,
  show: (value: number) => string = times,
): Must {
  return {
    what,
    needed: `at least ${show(limit)}`,
    figure: value === undefined ? null : show(value),
    reached: value === undefined ? null : value >= limit,
  };
}

/** A promise that is kept up to `limit`. */
export function atMost(
  what: string,
  limit: number,
  value: number | undefined,
  show: (value: number) => string,
): Must {
  return {
    what,
    needed: `at most ${show(limit)}`,
    figure: value === undefined ? null : show(value),
    reached: value === undefined ? null : value <= limit,
  };
}

function times(value: number): string {
  return `×${value >= 10 ? value.toFixed(0) : value.toFixed(2)}`;
}

export function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}
