import type { Peer } from '../../../shared/bus/bus-config.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { AudienceAnswer } from '../../../shared/receipt/progress.ts';
import { sleep } from '../../../shared/time/sleep.ts';

const ASK_LIMIT_MS = 500;
/** Once one has answered, the others get this much more: a hanging dispatcher must not hold up an alert. */
const GRACE_MS = 100;

/** How many subscriptions an alert would reach, as the dispatchers know it; undefined when none could say. */
export type AudienceSize = AudienceAnswer['counts'] | undefined;

/**
 * Asks every dispatcher for the audience of an area at once; the largest answer wins, because a replica that is still
 * filling knows too few. Never rejects, never takes longer than half a second.
 */
export async function askAudience(
  areaCodes: readonly string[],
  deps: { dispatchers: readonly Peer[]; internalToken: string },
): Promise<AudienceSize> {
  const stop = new AbortController();
  const answers: AudienceAnswer['counts'][] = [];
  const query = new URLSearchParams(areaCodes.map((code): [string, string] => ['area', code]));
  let first = () => {};
  const firstAnswered = new Promise<void>((resolve) => {
    first = resolve;
  });
  const asked = deps.dispatchers.map(async ({ url }) => {
    try {
      const answer = await fetchJson(new URL(`/v1/audience?${query}`, url).href, {
        schema: AudienceAnswer,
        timeoutMs: ASK_LIMIT_MS,
        token: deps.internalToken,
        signal: stop.signal,
      });
      answers.push(answer.counts);
      first();
    } catch {
      // No answer is an answer here: the others', or the assumption, decides.
    }
  });
  const grace = firstAnswered.then(() => sleep(GRACE_MS, stop.signal));
  await Promise.race([Promise.all(asked), grace, sleep(ASK_LIMIT_MS, stop.signal)]);
  stop.abort();
  return answers.reduce<AudienceSize>(
    (best, each) => (total(each) > total(best) ? each : best),
    answers[0],
  );
}

/** All transports together. */
export function total(counts: AudienceSize): number {
  return Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
}
