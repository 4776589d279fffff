import type { z } from 'zod';
import type { Peer } from '../../../shared/bus/bus-config.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { DeviceReceiptCounts } from '../../../shared/receipt/device-receipt.ts';
import { DispatchProgress } from '../../../shared/receipt/progress.ts';
import { WitnessAnswer } from '../../../shared/receipt/proof.ts';
import type { NodeAnswer, ProgressSources } from './merge-progress.ts';

const ASK_LIMIT_MS = 1_000;

interface Deps {
  readonly dispatchers: readonly Peer[];
  readonly canaries: readonly Peer[];
  readonly edges: readonly Peer[];
  readonly internalToken: string;
}

/** Asks everybody about one alert at once, a second each. Whoever is silent is silent: never rejects. */
export async function readProgress(
  id: string,
  deps: Deps,
): Promise<Pick<ProgressSources, 'nodes' | 'witnesses' | 'receipts'>> {
  const ask = <Schema extends z.ZodType>(peer: Peer, path: string, schema: Schema) =>
    fetchJson(new URL(path, peer.url).href, {
      schema,
      timeoutMs: ASK_LIMIT_MS,
      token: deps.internalToken,
    });
  const [nodes, witnesses, receipts] = await Promise.all([
    Promise.all(
      deps.dispatchers.map(async (peer): Promise<NodeAnswer> => {
        const answer = await ask(peer, `/v1/alerts/${id}/progress`, DispatchProgress).catch(
          silence,
        );
        return { node: peer.name, site: peer.site, answer };
      }),
    ),
    Promise.all(
      deps.canaries.map((peer) =>
        ask(peer, `/v1/alerts/${id}/witnesses`, WitnessAnswer).catch(() => undefined),
      ),
    ),
    Promise.all(
      deps.edges.map((peer) =>
        ask(peer, `/v1/alerts/${id}/receipts`, DeviceReceiptCounts).catch(() => undefined),
      ),
    ),
  ]);
  return {
    nodes,
    witnesses: witnesses.filter((each) => each !== undefined),
    receipts: receipts.filter((each) => each !== undefined),
  };
}

function silence(error: unknown): 'unknown-alert' | 'no-answer' {
  return error instanceof FetchError && error.status === 404 ? 'unknown-alert' : 'no-answer';
}
