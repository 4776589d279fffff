import type { z } from 'zod';
import { FetchError, fetchJson } from '../../shared/http/fetch-json.ts';
import { Problem } from '../../shared/http/problem.ts';
import { CliError, EXIT } from './cli-error.ts';
import type { ServiceNode } from './config.ts';
import type { Texts } from './texts-fr.ts';

/** An ingest answers within 2 s, or says 503; one that has said nothing after this is as good as gone. */
const INGEST_TIMEOUT_MS = 2_500;

/** Gateways between us and an ingest answer these in its place. */
const UNAVAILABLE = [502, 503, 504];

export interface IngestCall<Schema extends z.ZodType> {
  readonly path: string;
  readonly schema: Schema;
  /** Sent as JSON by POST; absent: GET. */
  readonly body?: unknown;
}

export interface IngestDeps {
  readonly ingests: readonly ServiceNode[];
  readonly apiKey: string;
  readonly texts: Texts;
  /** Told when an ingest is passed over for the next one. */
  readonly onPassedOver?: (line: string) => void;
}

/**
 * Asks one ingest after the other until one answers. A repeat at the next ingest is harmless: both make the same id out
 * of CAP's identity. Rejects with CliError: refused (with everything that is wrong), or nobody answered.
 */
export async function callIngest<Schema extends z.ZodType>(
  call: IngestCall<Schema>,
  deps: IngestDeps,
): Promise<{ answer: z.infer<Schema>; ingest: ServiceNode }> {
  const failures: string[] = [];
  for (const [i, ingest] of deps.ingests.entries()) {
    try {
      const answer = await fetchJson(new URL(call.path, ingest.url).href, {
        schema: call.schema,
        timeoutMs: INGEST_TIMEOUT_MS,
        token: deps.apiKey,
        ...(call.body === undefined ? {} : { json: call.body }),
      });
      return { answer, ingest };
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      if (error.status !== undefined && error.status >= 400 && !UNAVAILABLE.includes(error.status))
        throw new CliError(
          EXIT.refused,
          problemLines(error.body, error.message, deps.texts),
          error,
        );
      failures.push(
        ...[
          deps.texts.ingestFailed(ingest.name, ingest.url, error.status),
          ...unavailableLines(error, deps),
        ],
      );
      const next = deps.ingests[i + 1];
      if (next) deps.onPassedOver?.(deps.texts.passedOver(ingest.name, error.status, next.name));
    }
  }
  throw new CliError(EXIT.unreachable, [
    deps.texts.noIngest,
    ...failures,
    deps.texts.noIngestAction,
  ]);
}

function unavailableLines(error: FetchError, deps: IngestDeps): string[] {
  return Problem.safeParse(error.body).success
    ? problemLines(error.body, error.message, deps.texts).map((line) => `  ${line}`)
    : [];
}

/** A problem document (RFC 9457) as lines: what, each error by its field, what to do. */
export function problemLines(body: unknown, fallback: string, texts: Texts): string[] {
  const parsed = Problem.safeParse(body);
  if (!parsed.success) return [texts.refused(fallback)];
  const { title, status, detail, action, errors } = parsed.data;
  return [
    texts.refused(`${title} (${status})`),
    ...(detail === undefined ? [] : [detail]),
    ...(errors ?? []).map((error) => problemLine(error)),
    ...(action === undefined ? [] : [texts.action(action)]),
  ];
}

export function problemLine({ field, message }: { field: string; message: string }): string {
  return `  ${field === '' ? '' : `${field}: `}${message}`;
}
