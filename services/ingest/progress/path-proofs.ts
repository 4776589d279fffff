import { z } from 'zod';
import { CanaryPath, LANES, TRANSPORTS } from '../../../shared/envelope/envelope.ts';
import { PROOF_LIFE_SECONDS, type ProofReport } from '../../../shared/receipt/proof.ts';
import type { Clock } from '../../../shared/time/clock.ts';

/** Body of `GET /v1/routes`. `ageSeconds` null = never proved since this ingest started: that is unproved, not unknown. */
export const RouteProofs = z.strictObject({
  routes: z.array(
    z.strictObject({
      path: CanaryPath,
      ageSeconds: z.int().nonnegative().nullable(),
      state: z.enum(['proved', 'unproved']),
    }),
  ),
});
export type RouteProofs = z.infer<typeof RouteProofs>;

/** More paths than five sites can have: a report beyond it names paths that are nobody's. */
const MAX_PATHS = 1_000;

interface Deps {
  /** Names of all ingests and dispatchers: their paths are shown even when nobody ever proved them. */
  readonly ingests: readonly string[];
  readonly dispatchers: readonly string[];
  readonly clock: Clock;
}

/** The youngest proof of each path, by this node's clock. */
export function createPathProofs({ ingests, dispatchers, clock }: Deps) {
  const provedAtMs = new Map<string, { path: CanaryPath; atMs: number | undefined }>();
  for (const path of expectedPaths(ingests, dispatchers))
    provedAtMs.set(keyOf(path), { path, atMs: undefined });
  return {
    record(report: ProofReport): void {
      for (const { path, ageMs } of report.proofs) {
        const key = keyOf(path);
        const known = provedAtMs.get(key);
        if (!known && provedAtMs.size >= MAX_PATHS) continue;
        // The canary says how old its proof is, so our clocks need not agree.
        const atMs = clock() - ageMs;
        if (known?.atMs === undefined || atMs > known.atMs) provedAtMs.set(key, { path, atMs });
      }
    },
    routes(): RouteProofs {
      const nowMs = clock();
      return {
        routes: [...provedAtMs.values()].map(({ path, atMs }) => {
          const ageSeconds =
            atMs === undefined ? null : Math.max(0, Math.floor((nowMs - atMs) / 1000));
          return {
            path,
            ageSeconds,
            state: ageSeconds !== null && ageSeconds < PROOF_LIFE_SECONDS ? 'proved' : 'unproved',
          };
        }),
      };
    },
  };
}
export type PathProofs = ReturnType<typeof createPathProofs>;

function expectedPaths(ingests: readonly string[], dispatchers: readonly string[]): CanaryPath[] {
  return ingests.flatMap((ingest) =>
    dispatchers.flatMap((dispatcher) =>
      LANES.flatMap((lane) =>
        TRANSPORTS.map((transport) => ({ ingest, lane, dispatcher, transport })),
      ),
    ),
  );
}

function keyOf(path: CanaryPath): string {
  return `${path.ingest}:${path.lane}:${path.dispatcher}:${path.transport}`;
}
