import type { Peer } from '../../../shared/bus/bus-config.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { CredentialReport, type CredentialState } from '../../../shared/receipt/credential.ts';
import { sleep } from '../../../shared/time/sleep.ts';

const EVERY_MS = 30_000;
const REQUEST_LIMIT_MS = 2_000;

interface Deps {
  readonly internalToken: string;
  readonly signal: AbortSignal;
}

/**
 * Asks nodes what they know of their credentials. Who does not answer keeps what it said last, with the instants that it
 * said: they grow old by themselves.
 */
export function gatherCredentials(
  nodes: readonly { readonly kind: string; readonly peer: Peer }[],
  { internalToken, signal }: Deps,
): { readonly states: () => CredentialState[]; readonly running: Promise<void> } {
  const told = new Map<string, readonly CredentialState[]>();
  const ask = async ({ kind, peer }: (typeof nodes)[number]): Promise<void> => {
    try {
      const report = await fetchJson(new URL('/v1/credentials', peer.url).href, {
        schema: CredentialReport,
        timeoutMs: REQUEST_LIMIT_MS,
        token: internalToken,
        signal,
      });
      told.set(`${kind} ${peer.name}`, report.credentials);
    } catch {
      // That it does not answer is said elsewhere; an older version does not know the question.
    }
  };
  const run = async () => {
    if (nodes.length === 0) return;
    do await Promise.all(nodes.map(ask));
    while (await sleep(EVERY_MS, signal));
  };
  return { states: () => [...told.values()].flat(), running: run() };
}
