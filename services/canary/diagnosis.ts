import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import type { JudgedPath, MissStage } from './judge.ts';

type PathPart = keyof CanaryPath;
const PARTS: readonly PathPart[] = ['dispatcher', 'transport', 'ingest', 'lane'];

/** What failing paths have in common: some parts of the path. No parts means: every path fails. */
export interface Finding {
  readonly common: Partial<CanaryPath>;
  readonly paths: number;
  /** All of them have been without proof for at least this long. */
  readonly forMs: number;
  /** Where their last rounds ended, when that is the same for all. */
  readonly stage: MissStage | undefined;
}

/**
 * Why paths fail, in as few words as possible: the parts of which **every** path fails, single parts first (a node, a
 * transport), then pairs (a transport on one node: its key was revoked), then single paths. A path that is late fails
 * here too: the sooner the cause has a name, the better.
 */
export function diagnose(paths: readonly JudgedPath[]): Finding[] {
  const failing = new Set(paths.filter(({ state }) => state !== 'proved'));
  if (failing.size === 0) return [];
  if (failing.size === paths.length) return [finding({}, [...failing])];
  const findings: Finding[] = [];
  const unexplained = new Set(failing);
  for (const size of [1, 2, 4]) {
    const groups = groupsOf(paths, size).filter(({ members }) =>
      members.every((member) => failing.has(member)),
    );
    for (;;) {
      const best = largestBy(
        groups,
        ({ members }) => members.filter((m) => unexplained.has(m)).length,
      );
      if (!best) break;
      findings.push(finding(best.common, best.members));
      for (const member of best.members) unexplained.delete(member);
    }
  }
  return findings;
}

interface Group {
  readonly common: Partial<CanaryPath>;
  readonly members: readonly JudgedPath[];
}

/** All groups of paths that share `size` parts. */
function groupsOf(paths: readonly JudgedPath[], size: number): Group[] {
  const groups = new Map<string, { common: Partial<CanaryPath>; members: JudgedPath[] }>();
  for (const parts of subsets(PARTS, size)) {
    for (const judged of paths) {
      const common = pick(judged.path, parts);
      const key = JSON.stringify(common);
      const group = groups.get(key) ?? { common, members: [] };
      group.members.push(judged);
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) =>
    subsets(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]),
  );
}

function pick(path: CanaryPath, parts: readonly PathPart[]): Partial<CanaryPath> {
  return Object.fromEntries(parts.map((part) => [part, path[part]]));
}

/** The first of those with the highest positive score. */
function largestBy<T>(items: readonly T[], score: (item: T) => number): T | undefined {
  let best: { item: T; score: number } | undefined;
  for (const item of items) {
    const own = score(item);
    if (own > (best?.score ?? 0)) best = { item, score: own };
  }
  return best?.item;
}

function finding(common: Partial<CanaryPath>, members: readonly JudgedPath[]): Finding {
  const stages = new Set(
    members.map(({ lastResult }) => (lastResult?.kind === 'missed' ? lastResult.stage : undefined)),
  );
  const [stage] = stages;
  return {
    common,
    paths: members.length,
    forMs: Math.min(...members.map(({ silenceMs }) => silenceMs)),
    stage: stages.size === 1 ? stage : undefined,
  };
}
