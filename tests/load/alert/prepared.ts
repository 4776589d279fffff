import { urlOf } from '../../../deploy/demo/find-system.ts';
import { FetchError, fetchText } from '../../../shared/http/fetch-json.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { BenchSystem } from './bench-system.ts';

/** Null where a dispatcher does not say how many keys it has prepared. */
export interface PreparedFigures {
  readonly records: number | null;
  readonly seconds: number | null;
}

/** How many content keys a dispatcher has ready. */
const GAUGE = /^tocsin_web_push_records_ready(?:\{[^}]*\})? ([\d.e+]+)$/gm;
const SLOWEST_PER_SECOND = 1_000;

/** Waits until every dispatcher has prepared keys for so many browsers; as many as there are when the time is over. */
export async function untilPrepared(
  { system }: BenchSystem,
  wanted: number,
  say: (line: string) => void,
): Promise<PreparedFigures> {
  const startedMs = performance.now();
  const endMs = startedMs + 30_000 + (wanted / SLOWEST_PER_SECOND) * 1000;
  for (;;) {
    const counts = await Promise.all(
      system.sites.map((site) => preparedAt(urlOf(system, `dispatcher-${site}`))),
    );
    if (counts.includes(undefined)) return { records: null, seconds: null };
    const least = Math.min(...counts.map((count) => count ?? 0));
    const seconds = (performance.now() - startedMs) / 1000;
    if (least >= wanted || performance.now() > endMs) return { records: least, seconds };
    say(`prepared keys: ${counts.join(' and ')} of ${wanted}`);
    await sleep(1_000);
  }
}

async function preparedAt(url: string): Promise<number | undefined> {
  try {
    const text = await fetchText(`${url}/metrics`, { timeoutMs: 5_000 });
    const values = [...text.matchAll(GAUGE)].map(([, value]) => Number(value));
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  } catch (error) {
    if (error instanceof FetchError) return 0;
    throw error;
  }
}
