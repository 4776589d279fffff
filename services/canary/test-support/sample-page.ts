import { judgePath, newPathRecord, recordRound, summarize, type Timetable } from '../judge.ts';
import type { PageModel } from '../page/page-model.ts';
import { allPaths } from '../paths.ts';

const SAMPLE_TIMETABLE: Timetable = { periodMs: 60_000, limitMs: 10_000 };
export const SAMPLE_PATHS = allPaths(['a', 'b'], ['a', 'b']);

/** A page of two sites on which every path was proved four seconds ago, and nothing else is known. */
export function samplePage(nowMs: number, changes: Partial<PageModel> = {}): PageModel {
  const paths = SAMPLE_PATHS.map((path) => {
    const fresh = newPathRecord(path, nowMs - 34_000);
    const proved = recordRound(fresh, { kind: 'proved', latencyMs: 340 }, nowMs - 4_000);
    return judgePath(proved, nowMs, SAMPLE_TIMETABLE);
  });
  return {
    language: 'fr',
    canary: 'a',
    site: 'a',
    wallNowMs: nowMs,
    ageNowMs: nowMs,
    timetable: SAMPLE_TIMETABLE,
    paths,
    summary: summarize(paths),
    findings: [],
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
