/** Department → transport → devices. */
export type DepartmentCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Where a copy differs from what the dispatchers said before it was made and after it was checked. People register all the
 * time: a count between the smallest and the largest that were said is right. Each difference in words. Pure.
 */
export function compareCounts(copy: DepartmentCounts, live: readonly DepartmentCounts[]): string[] {
  const departments = [...new Set([copy, ...live].flatMap((each) => Object.keys(each)))].sort();
  return departments.flatMap((department) => {
    const transports = new Set(
      [copy, ...live].flatMap((each) => Object.keys(each[department] ?? {})),
    );
    return [...transports].sort().flatMap((transport) => {
      const counted = copy[department]?.[transport] ?? 0;
      const said = live.map((each) => each[department]?.[transport] ?? 0);
      const [least, most] = [Math.min(...said), Math.max(...said)];
      if (counted >= least && counted <= most) return [];
      return [
        `${department} ${transport} ${counted}, live ${least === most ? least : `${least} to ${most}`}`,
      ];
    });
  });
}
