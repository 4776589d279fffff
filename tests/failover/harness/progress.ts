/** What is planned and done of one row. */
export interface RowProgress {
  readonly id: string;
  readonly runs: number;
  /** What a run took where the row was written, in seconds: an estimate until some were played here. */
  readonly typicalSeconds: number;
  readonly played: number;
  readonly tookMs: number;
}

/** From so many runs on a row's own mean is the better estimate. */
const ENOUGH = 3;
/** This machine against the one where the rows were written: beyond these it says nothing about other rows. */
const MIN_PACE = 0.5;
const MAX_PACE = 3;

/** Milliseconds that are left, by what was measured here so far and by what rows take elsewhere. */
export function timeLeftMs(rows: readonly RowProgress[]): number {
  const sum = (of: (row: RowProgress) => number) => rows.reduce((all, each) => all + of(each), 0);
  const expectedMs = sum((row) => row.played * row.typicalSeconds * 1000);
  const measured = expectedMs > 0 ? sum((row) => row.tookMs) / expectedMs : 1;
  const pace = Math.min(MAX_PACE, Math.max(MIN_PACE, measured));
  return sum((row) => {
    const eachMs =
      row.played >= ENOUGH ? row.tookMs / row.played : row.typicalSeconds * 1000 * pace;
    return Math.max(0, row.runs - row.played) * eachMs;
  });
}

/** Such as `F7 run 17 of 200 (2.1 s); 3 min played, about 22 min left`. */
export function progressLine(
  rows: readonly RowProgress[],
  now: { readonly id: string; readonly tookMs: number },
): string {
  const row = rows.find(({ id }) => id === now.id);
  const playedMs = rows.reduce((all, each) => all + each.tookMs, 0);
  return (
    `  ${now.id} run ${row?.played ?? '?'} of ${row?.runs ?? '?'} (${(now.tookMs / 1000).toFixed(1)} s); ` +
    `${minutes(playedMs)} played, about ${minutes(timeLeftMs(rows))} left`
  );
}

export function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
