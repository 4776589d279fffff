import { z } from 'zod';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { TRACED_KINDS, type TracedKind } from '../../../shared/trace/trace-answer.ts';
import type { ServiceNode } from '../config.ts';

/** All are asked at once; one that is silent costs this much and no more. */
const ASK_LIMIT_MS = 2_000;

/** A service's answer as far as the table needs it: one of another version is shown with what is understood of it. */
const Answer = z.looseObject({
  traceId: z.string().optional().catch(undefined),
  issuedAt: z.string().optional().catch(undefined),
  clockSkew: z
    .array(z.looseObject({ kind: z.string(), node: z.string(), skewSeconds: z.number() }))
    .optional()
    .catch(undefined),
  events: z.array(
    z.looseObject({
      at: z.iso.datetime(),
      name: z.string(),
      attributes: z.record(z.string(), z.unknown()).default({}).catch({}),
    }),
  ),
});
export type Answer = z.infer<typeof Answer>;

export interface TracedNode {
  readonly kind: TracedKind;
  readonly name: string;
  readonly url: string;
}

/** What one service said: its part, that it does not know the alert, that it refused us (`status`), or nothing. */
export interface Asked extends Pick<TracedNode, 'kind' | 'name'> {
  readonly answer: Answer | 'unknown' | 'no-answer' | { readonly refused: number };
}

export function tracedNodes(
  config: Readonly<
    Record<'ingests' | 'dispatchers' | 'edges' | 'canaries', readonly ServiceNode[]>
  >,
): TracedNode[] {
  const nodes = {
    ingest: config.ingests,
    dispatcher: config.dispatchers,
    edge: config.edges,
    canary: config.canaries,
  };
  return TRACED_KINDS.flatMap((kind) => nodes[kind].map(({ name, url }) => ({ kind, name, url })));
}

/** Asks every service for its part. Never rejects for one that is away: half of a system is enough for half of a story. */
export function askServices(
  alertId: string,
  nodes: readonly TracedNode[],
  token: string,
): Promise<Asked[]> {
  return Promise.all(
    nodes.map(async ({ kind, name, url }): Promise<Asked> => {
      try {
        const answer = await fetchJson(new URL(`/v1/alerts/${alertId}/trace`, url).href, {
          schema: Answer,
          timeoutMs: ASK_LIMIT_MS,
          token,
        });
        return { kind, name, answer };
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        return { kind, name, answer: whyNot(error.status) };
      }
    }),
  );
}

function whyNot(status: number | undefined): 'unknown' | 'no-answer' | { refused: number } {
  if (status === 404) return 'unknown';
  return status !== undefined && status >= 400 && status < 500 ? { refused: status } : 'no-answer';
}
