import { z } from 'zod';
import { fetchJson } from '../http/fetch-json.ts';

const Jsz = z.object({ config: z.object({ sync_always: z.boolean().optional() }) });

/**
 * True when the server syncs every write before it acknowledges. Without it a power cut loses acknowledged alerts
 * (measured: nearly half of them), so a bus that does not is refused outside development. Rejects when it cannot be asked.
 */
export async function syncsEveryWrite(monitorUrl: string): Promise<boolean> {
  const url = new URL('/jsz?config=true', monitorUrl);
  const answer = await fetchJson(url.href, { schema: Jsz, timeoutMs: 2_000 });
  return answer.config.sync_always === true;
}
