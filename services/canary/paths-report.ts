import { z } from 'zod';
import { CanaryPath, NodeName } from '../../shared/envelope/envelope.ts';
import { type JudgedPath, summarize } from './judge.ts';
import { pathName } from './paths.ts';

/** Answer of `GET /v1/paths`. Ages are by this canary's clock at `now`. */
export const PathsReport = z.object({
  canary: NodeName,
  now: z.iso.datetime(),
  paths: z.array(
    z.object({
      name: z.string(),
      path: CanaryPath,
      state: z.enum(['proved', 'late', 'unproved', 'not-measured']),
      ageSeconds: z.number().nullable(),
      latencyMs: z.number().nullable(),
      consecutiveMisses: z.int(),
      /** `proved`, `late`, or the stage at which the last round was missed; null before the first. */
      lastResult: z
        .enum(['proved', 'late', 'ingest-refused', 'ingest-unreachable', 'not-received'])
        .nullable(),
    }),
  ),
  summary: z.object({
    provedPaths: z.int(),
    totalPaths: z.int(),
    newestProofAgeSeconds: z.number().nullable(),
  }),
});
export type PathsReport = z.infer<typeof PathsReport>;

const seconds = (ms: number | null) => (ms === null ? null : Math.round(ms / 100) / 10);

export function pathsReport(
  canary: string,
  judged: readonly JudgedPath[],
  wallNowMs: number,
): PathsReport {
  const summary = summarize(judged);
  return {
    canary,
    now: new Date(wallNowMs).toISOString(),
    paths: judged.map(({ path, state, ageMs, latencyMs, consecutiveMisses, lastResult }) => ({
      name: pathName(path),
      path,
      state,
      ageSeconds: seconds(ageMs),
      latencyMs: latencyMs === null ? null : Math.round(latencyMs),
      consecutiveMisses,
      lastResult: lastResult?.kind === 'missed' ? lastResult.stage : (lastResult?.kind ?? null),
    })),
    summary: {
      provedPaths: summary.provedPaths,
      totalPaths: summary.totalPaths,
      newestProofAgeSeconds: seconds(summary.newestProofAgeMs),
    },
  };
}
