import { z } from 'zod';
import type { Peer } from '../../../shared/bus/bus-config.ts';
import { SignatureError } from '../../../shared/envelope/signature.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { RecentAlerts } from './recent-alerts.ts';

const EVERY_MS = 15_000;
const TIMEOUT_MS = 3_000;

/** The part of a dispatcher's journal page that the edge uses. */
const JournalPage = z.object({
  cursor: z.union([z.string(), z.number()]),
  entries: z.array(z.object({ id: z.string(), jws: z.string() })),
});

interface Deps {
  readonly alerts: RecentAlerts;
  readonly token: string;
  readonly signal: AbortSignal;
}

/**
 * Asks one dispatcher every few seconds for alerts that the page lacks: an edge that was down while an alert came by
 * the direct lane, with the bus gone as well, catches up by itself. Until aborted.
 */
export async function readJournal(
  dispatcher: Peer,
  { alerts, token, signal }: Deps,
): Promise<void> {
  let cursor: string | undefined;
  while (!signal.aborted) {
    try {
      const url = new URL('/v1/journal', dispatcher.url);
      if (cursor !== undefined) url.searchParams.set('since', cursor);
      const page = await fetchJson(url.href, {
        schema: JournalPage,
        timeoutMs: TIMEOUT_MS,
        token,
        signal,
      });
      for (const { id, jws } of page.entries) if (!alerts.has(id)) await takeQuietly(alerts, jws);
      const moved = cursor !== String(page.cursor) && page.entries.length > 0;
      cursor = String(page.cursor);
      if (moved) continue;
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
    }
    // Spread, so that edges do not ask together.
    await sleep(EVERY_MS * (0.5 + Math.random()), signal);
  }
}

async function takeQuietly(alerts: RecentAlerts, jws: string): Promise<void> {
  try {
    await alerts.take(jws, 'journal');
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
  }
}
