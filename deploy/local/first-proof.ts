import { z } from 'zod';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { sleep } from '../../shared/time/sleep.ts';

const Path = z.object({ state: z.string() });
const Paths = z.union([z.array(Path), z.object({ paths: z.array(Path) })]);

interface ProofCount {
  readonly proved: number;
  readonly total: number;
}

/** How many paths a canary has proved now. Rejects with FetchError. */
async function countProofs(canaryUrl: string): Promise<ProofCount> {
  const answer = await fetchJson(`${canaryUrl}/v1/paths`, { schema: Paths, timeoutMs: 2_000 });
  const paths = Array.isArray(answer) ? answer : answer.paths;
  return { proved: paths.filter(({ state }) => state === 'proved').length, total: paths.length };
}

/** Waits for the first proof of one canary; undefined when none came in time. */
export async function waitForProof(
  canaryUrl: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<ProofCount | undefined> {
  for (
    const end = Date.now() + timeoutMs;
    Date.now() < end && !signal.aborted;
    await sleep(500, signal)
  ) {
    const count = await countProofs(canaryUrl).catch(() => undefined);
    if (count !== undefined && count.proved > 0) return count;
  }
  return undefined;
}
