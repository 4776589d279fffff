import { z } from 'zod';
import { fetchJson } from '../http/fetch-json.ts';

const Jsz = z.object({ config: z.object({ sync_always: z.boolean().optional() }) });

/**
 * True when every server of the site that answers syncs each write before it acknowledges. Without it a power cut loses
 * acknowledged alerts (measured: nearly half of them), so a bus that does not is refused outside development. A server of
 * a cluster that is dead has no say: the others carry on. Rejects when none can be asked.
 */
export async function syncsEveryWrite(monitorUrls: readonly string[]): Promise<boolean> {
  const answers = await Promise.allSettled(monitorUrls.map(askServer));
  const given = answers.filter((answer) => answer.status === 'fulfilled');
  if (given.length === 0)
    throw new Error('no server of the site answers on its monitoring address', {
      cause: answers.find((answer) => answer.status === 'rejected')?.reason,
    });
  return given.every(({ value }) => value);
}

async function askServer(monitorUrl: string): Promise<boolean> {
  const url = new URL('/jsz?config=true', monitorUrl);
  const answer = await fetchJson(url.href, { schema: Jsz, timeoutMs: 2_000 });
  return answer.config.sync_always === true;
}
