import type { Registry } from 'prom-client';
import type { BusSite, Peer } from '../../../shared/bus/bus-config.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { createCredentialMetrics } from '../../../shared/metrics/credential-metrics.ts';
import { byEnd, type CredentialState } from '../../../shared/receipt/credential.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { CERTIFICATE_TIMING, watchCertificates } from '../../../shared/tls/watch-certificates.ts';
import { certificatePlaces } from './certificate-places.ts';
import { gatherCredentials } from './gather-credentials.ts';

interface Options {
  readonly canary: string;
  readonly internalToken: string;
  readonly ingests: readonly Peer[];
  readonly dispatchers: readonly Peer[];
  readonly edges: readonly Peer[];
  readonly canaries: readonly Peer[];
  readonly natsSites: readonly BusSite[];
  /** Addresses that the canary itself leans on, by name. */
  readonly others: Readonly<Record<string, string | undefined>>;
}

interface Deps {
  readonly registry: Registry;
  readonly log: Logger;
  readonly wallNow: Clock;
  /** Instant (wall clock) of the newest proof on any path; undefined: none yet. */
  readonly newestProofAtMs: () => number | undefined;
  readonly signal: AbortSignal;
}

/** What ends, and what is refused: told by ingests and dispatchers, and seen by this canary itself. */
export function startCredentials(
  options: Options,
  deps: Deps,
): { readonly states: () => CredentialState[]; readonly running: Promise<void> } {
  const { canary, internalToken, natsSites, others } = options;
  const of = (kind: string, peers: readonly Peer[]) => peers.map((peer) => ({ kind, peer }));
  const asked = [...of('ingest', options.ingests), ...of('dispatcher', options.dispatchers)];
  const peers = [...asked, ...of('edge', options.edges), ...of('canary', options.canaries)];
  const places = certificatePlaces({ canary, peers, natsSites, others });
  const certificates = watchCertificates(() => places, CERTIFICATE_TIMING, deps);
  const gathered = gatherCredentials(asked, { internalToken, signal: deps.signal });
  const own = () => [...certificates.states(), ...provedByReceipt(canary, deps.newestProofAtMs())];
  createCredentialMetrics(deps.registry, own);
  return {
    states: () => byEnd([...gathered.states(), ...own()]),
    running: Promise.all([certificates.running, gathered.running]).then(() => undefined),
  };
}

/** A round is let in by the canary's API key and signed by ingest's canary key; a probe has checked both by receiving it. */
function provedByReceipt(canary: string, atMs: number | undefined): CredentialState[] {
  const proved = atMs === undefined ? {} : { lastProvedAt: new Date(atMs).toISOString() };
  const where = `canary ${canary}`;
  return [
    { name: `api-key-canary-${canary}`, kind: 'api-key', where, ...proved },
    { name: 'signing-key-canary', kind: 'signing-key', where, ...proved },
  ];
}
