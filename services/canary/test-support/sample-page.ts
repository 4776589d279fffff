import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import { diagnose } from '../diagnosis.ts';
import { judgePath, newPathRecord, recordRound, summarize, type Timetable } from '../judge.ts';
import type { PageModel } from '../page/page-model.ts';
import { allPaths } from '../paths.ts';

const SAMPLE_TIMETABLE: Timetable = { periodMs: 60_000, limitMs: 10_000 };
export const SAMPLE_PATHS = allPaths(['a', 'b'], ['a', 'b']);

/** A page of two sites on which every path was proved four seconds ago, and nothing else is known. */
export function samplePage(nowMs: number, changes: Partial<PageModel> = {}): PageModel {
  return {
    language: 'fr',
    canary: 'a',
    site: 'a',
    wallNowMs: nowMs,
    ageNowMs: nowMs,
    timetable: SAMPLE_TIMETABLE,
    ...sampleProofs(nowMs, () => 4),
    dead: [],
    history: new Map(),
    rounds: [],
    receivers: [],
    stored: undefined,
    refusals: undefined,
    clocks: [],
    realAlert: undefined,
    credentials: [],
    otherCanaries: [],
    drills: [],
    runbooksUrl: '/runbooks',
    ...changes,
  };
}

/** What the judge says when paths were last proved so many seconds ago; undefined: never, 34 s after the start. */
export function sampleProofs(
  nowMs: number,
  ageOf: (path: CanaryPath) => number | undefined,
): Pick<PageModel, 'paths' | 'summary' | 'findings'> {
  const paths = SAMPLE_PATHS.map((path) => {
    const fresh = newPathRecord(path, nowMs - 34_000);
    const age = ageOf(path);
    const record =
      age === undefined
        ? fresh
        : recordRound(fresh, { kind: 'proved', latencyMs: 340 }, nowMs - age * 1000);
    return judgePath(record, nowMs, SAMPLE_TIMETABLE);
  });
  return { paths, summary: summarize(paths), findings: diagnose(paths) };
}
