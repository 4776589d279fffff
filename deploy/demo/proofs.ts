import { z } from 'zod';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { type RunningSystem, urlOf } from './find-system.ts';
import { until } from './until.ts';

const Paths = z.object({ summary: z.object({ provedPaths: z.int(), totalPaths: z.int() }) });

/** Waits until every canary has proved every path: from then on the dispatchers trust each other's receipts. */
export async function waitForProofs(
  system: RunningSystem,
  say: (line: string) => void,
): Promise<void> {
  let told = '';
  await until(
    'every path is proved by every canary',
    { timeoutMs: 120_000, everyMs: 500 },
    async () => {
      const summaries = await Promise.all(
        system.sites.map(async (site) => {
          const url = `${urlOf(system, `canary-${site}`)}/v1/paths`;
          return (await fetchJson(url, { schema: Paths, timeoutMs: 5_000 })).summary;
        }),
      );
      const proved = summaries.reduce((sum, each) => sum + each.provedPaths, 0);
      const total = summaries.reduce((sum, each) => sum + each.totalPaths, 0);
      const line = `${proved} of ${total} paths proved`;
      if (line !== told) say(line);
      told = line;
      return proved === total ? true : undefined;
    },
  );
}
