import { z } from 'zod';
import { PathsReport } from '../../../services/canary/paths-report.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { readPage } from '../read-page.ts';
import type { CanaryView, Sample } from '../verdict.ts';

/** As long as somebody on call would wait for a page; a machine that is shared by several systems is slow at times. */
const LIMIT_MS = 5_000;

export interface Addresses {
  /** Canaries' own addresses, by name. */
  readonly canaries: Readonly<Record<string, string>>;
  readonly prometheus: string;
}

/** What everybody says now. */
export async function observe(addresses: Addresses): Promise<Omit<Sample, 'seconds'>> {
  const [metrics, ...views] = await Promise.all([
    readMetrics(addresses.prometheus),
    ...Object.entries(addresses.canaries).map(
      async ([name, url]) => [name, await readCanary(url)] as const,
    ),
  ]);
  const canaries = Object.fromEntries(
    views.flatMap(([name, view]) => (view === undefined ? [] : [[name, view]])),
  );
  return { canaries, ...(metrics === undefined ? {} : { metrics }) };
}

/** Undefined when it does not answer: then it says nothing, and a browser that shows its page says that it is old. */
async function readCanary(url: string): Promise<CanaryView | undefined> {
  try {
    const [report, html] = await Promise.all([
      readPaths(url),
      fetch(`${url}/?lang=en`, { signal: AbortSignal.timeout(LIMIT_MS) }).then((answer) =>
        answer.text(),
      ),
    ]);
    const proved = report.paths.filter(({ state }) => state === 'proved').map(({ name }) => name);
    return { proved, total: report.paths.length, ...readPage(html) };
  } catch {
    return undefined;
  }
}

export function readPaths(url: string): Promise<PathsReport> {
  return fetchJson(`${url}/v1/paths`, { schema: PathsReport, timeoutMs: LIMIT_MS });
}

const Answer = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.coerce.number()]),
      }),
    ),
  }),
});
const QUERY =
  '{__name__=~"path:canary_proof_age:seconds|canary:proof_age:seconds"} or ALERTS{alertname!="Watchdog"}';

async function readMetrics(prometheus: string): Promise<Sample['metrics']> {
  try {
    const url = `${prometheus}/api/v1/query?query=${encodeURIComponent(QUERY)}`;
    const { data } = await fetchJson(url, { schema: Answer, timeoutMs: LIMIT_MS });
    const ages = (name: string, label: string) =>
      Object.fromEntries(
        data.result
          .filter(({ metric }) => metric['__name__'] === name)
          .map(({ metric, value }) => [metric[label] ?? '', Math.round(value[1])]),
      );
    const alerts = (state: string) =>
      data.result
        .filter(({ metric }) => metric['alertstate'] === state)
        .map(({ metric }) => metric['alertname'] ?? '');
    return {
      pathAges: ages('path:canary_proof_age:seconds', 'path'),
      canaryAges: ages('canary:proof_age:seconds', 'node'),
      firing: alerts('firing'),
      pending: alerts('pending'),
    };
  } catch {
    return undefined;
  }
}
